/** What the settings' texts become, where no model owns the parser. Each gives undefined for what is no value. */
import { Secret } from '../base/secret.js';

/** Seconds, down to a thousandth and more than none, as whole milliseconds. */
export function seconds(value: string): number | undefined {
  const isNumber = /^\d{1,6}(\.\d{1,3})?$/.test(value);
  return isNumber && Number(value) > 0 ? Math.round(Number(value) * 1000) : undefined;
}

/** A number that counts something: 1 at least. */
export const wholeNumber = (value: string): number | undefined =>
  /^[1-9]\d{0,8}$/.test(value) ? Number(value) : undefined;

export const anyText = (value: string): string => value;

export const secret = (value: string): Secret => new Secret(value);

export const oneOf =
  <T extends string>(values: readonly T[]) =>
  (value: string): T | undefined =>
    values.find((known) => known === value);
