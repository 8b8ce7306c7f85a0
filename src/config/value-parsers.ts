/** What the settings' texts become, where no model owns the parser. Each gives undefined for what is no value. */
import { Secret } from '../base/secret.js';

/** Whole seconds, as milliseconds. */
export const seconds = (value: string): number | undefined =>
  /^[1-9]\d{0,5}$/.test(value) ? Number(value) * 1000 : undefined;

/** A number that counts something: 1 at least. */
export const wholeNumber = (value: string): number | undefined =>
  /^[1-9]\d{0,8}$/.test(value) ? Number(value) : undefined;

export const anyText = (value: string): string => value;

export const secret = (value: string): Secret => new Secret(value);

export const oneOf =
  <T extends string>(values: readonly T[]) =>
  (value: string): T | undefined =>
    values.find((known) => known === value);
