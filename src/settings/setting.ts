/** What the table of settings is made of: the kinds of setting, and how the text of each kind of value is read. */
import type { Secret } from '../base/secret.js';

/** How the values of a setting are written. */
interface ValueType<T> {
  /** The placeholder of the value in help. */
  readonly placeholder: string;
  /** Gives undefined for a text that is no such value. */
  readonly parse: (text: string) => T | undefined;
  /** Describes a good value, for the message about a bad one. */
  readonly expects?: string;
}

/** The title of the settings that only `--help-extended` shows. */
export const advanced = 'Advanced';

interface Description {
  /** One line for help, in lower case, without a full stop. */
  readonly help: string;
  /** `DTR_…` is read as `MSR_…` as well: see `variablesOf`. */
  readonly env?: string;
  /** Without the dashes; made of the setting's name when left out. */
  readonly flag?: string;
  /** The title that help shows it under, if not that of its part. */
  readonly group?: typeof advanced;
  /** Never read from `.env`, which anybody who may write into the working directory can make: it would weaken a check. */
  readonly notInDotenv?: boolean;
  /** Of a flag of docker/dtr that is accepted and ignored: why it can be. */
  readonly noEffect?: string;
  /** Of a switch of docker/dtr that is refused: what to do instead. */
  readonly refusal?: string;
  /** What `msr backup` of MSR 3 takes in its place: a value, or for PEM the path of a file that may not be there. */
  readonly defaultInMsr?: string;
}

/** Gives the PEM text of a file in another form, undefined for one that is not in it. */
type Decode = (bytes: Buffer) => string | undefined;

export type Setting = Omit<Description, 'flag' | 'group'> & { readonly flag: string; readonly group: string } & (
    | ({ readonly kind: 'text'; readonly default?: string } & ValueType<unknown>)
    | ({ readonly kind: 'list' } & ValueType<unknown>)
    | { readonly kind: 'secret'; readonly placeholder: string }
    | { readonly kind: 'pem'; readonly placeholder: string; readonly decode?: Decode }
    | { readonly kind: 'switch'; readonly default: boolean }
  );

/** What reading a setting gives. One with a default always has a value. */
export type SettingValue<S> = S extends { kind: 'switch' }
  ? boolean
  : S extends { kind: 'secret' }
    ? Secret | undefined
    : S extends { kind: 'pem' }
      ? string | undefined
      : S extends { kind: 'list'; parse: (text: string) => infer T }
        ? readonly Exclude<T, undefined>[]
        : S extends { parse: (text: string) => infer T }
          ? S extends { default: string }
            ? Exclude<T, undefined>
            : T | undefined
          : never;

export const text = <T, const D extends Description & { readonly default?: string }>(type: ValueType<T>, about: D) => ({
  kind: 'text' as const,
  ...type,
  ...about,
});

/** May be given more than once. */
export const list = <T>(type: ValueType<T>, about: Description) => ({ kind: 'list' as const, ...type, ...about });

/** One line of text that is never printed. */
export const secret = (placeholder: string, { env, help }: Description & { readonly env: string }) => ({
  kind: 'secret' as const,
  placeholder,
  env,
  help: `${help}; better passed as ${env} or ${env}_FILE: flags show in process lists`,
});

/** PEM text, or the path of a file with it. */
export const pem = (about: Description & { readonly placeholder?: string; readonly decode?: Decode }) => ({
  kind: 'pem' as const,
  placeholder: 'PEM|PATH',
  ...about,
});

/** On or off; off when left out. */
export const onOff = (about: Description & { readonly default?: boolean }) => ({
  kind: 'switch' as const,
  default: false,
  ...about,
});

/** The line of a setting in help, with its default. */
export function helpOf(setting: Setting): string {
  const { help, defaultInMsr } = setting;
  const byDefault = setting.kind === 'text' && setting.default !== undefined ? ` (default ${setting.default})` : '';
  return `${help}${byDefault}${defaultInMsr === undefined ? '' : ` (default in MSR 3: ${defaultInMsr})`}`;
}

/** The variables of a setting: those of DTR 2.x are called `MSR_…` in MSR 2.8 and later, and either name is read. */
export function variablesOf({ env }: Pick<Description, 'env'>): readonly string[] {
  if (env === undefined) return [];
  return env.startsWith('DTR_') ? [env, env.replace(/^DTR_/, 'MSR_')] : [env];
}

type Part<T> = { readonly [K in keyof T]: T[K] & { readonly flag: string; readonly group: string } };

/** Settings under one title of help, each with its flag: `--ucp-url` of `ucpUrl`. */
export function part<T extends Readonly<Record<string, Description>>>(group: string, described: T): Part<T> {
  const entries = Object.entries(described).map(([name, setting]) => {
    return [name, { flag: name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), group, ...setting }];
  });
  return Object.fromEntries(entries) as Part<T>;
}

export const anyText = (placeholder: string): ValueType<string> => ({ placeholder, parse: (value) => value });

export const oneOf = <const T extends string>(values: readonly T[]): ValueType<T> => ({
  placeholder: values.join('|'),
  parse: (value) => values.find((known) => known === value),
  expects: values.join(' or '),
});

/** Seconds with at most three decimals, read as milliseconds: at least `minMs`. */
export const secondsFrom = (minMs: number): ValueType<number> => ({
  placeholder: 'SECONDS',
  parse: (value) => {
    const milliseconds = /^\d{1,6}(\.\d{1,3})?$/.test(value) ? Math.round(Number(value) * 1000) : 0;
    return milliseconds >= minMs ? milliseconds : undefined;
  },
  expects: minMs > 1 ? `seconds, ${minMs / 1000} at least` : 'seconds, such as 60 or 0.5',
});

export const seconds = secondsFrom(1);

/** A count: at least 1. */
export const wholeNumber = (placeholder: string): ValueType<number> => ({
  placeholder,
  parse: (value) => (/^[1-9]\d{0,8}$/.test(value) ? Number(value) : undefined),
  expects: 'a whole number',
});
