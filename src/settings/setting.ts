/** The kinds of setting that the table in settings.ts is made of. */

export interface Named {
  /** Without the dashes. */
  readonly flag: string;
  readonly env?: string;
  /** One line for help, in lower case, without a full stop. */
  readonly help: string;
  /** Only in `--help-extended`. */
  readonly extended?: boolean;
  /** Never read from `.env`, which whoever may write into the working directory makes: it would weaken a check. */
  readonly notInDotenv?: boolean;
}

export interface Parsed<T> {
  /** What stands for the value in help. */
  readonly placeholder: string;
  /** The value in `text`, or undefined where there is none. */
  readonly parse: (text: string) => T | undefined;
  /** What a good value looks like, for the message about a bad one; absent where every text is good. */
  readonly expects?: string;
}

export interface TextSetting<T> extends Named, Parsed<T> {
  readonly kind: 'text';
  readonly default?: string;
}
export interface ListSetting<T> extends Named, Parsed<T> {
  readonly kind: 'list';
}
export interface FlagSetting extends Named {
  readonly kind: 'flag';
  readonly default: boolean;
}
/** PEM text, or the path of a file with it. */
export interface PemSetting extends Named {
  readonly kind: 'pem';
  readonly placeholder: string;
  /** The PEM text of a file in another form; undefined for what is not in it. */
  readonly decode?: (bytes: Buffer) => string | undefined;
}

export type Setting = TextSetting<unknown> | ListSetting<unknown> | FlagSetting | PemSetting;

/** What reading a setting gives. A text setting with a default always has a value. */
export type SettingValue<S extends Setting> = S extends FlagSetting
  ? boolean
  : S extends PemSetting
    ? string | undefined
    : S extends ListSetting<infer T>
      ? readonly T[]
      : S extends TextSetting<infer T>
        ? S extends { readonly default: string }
          ? T
          : T | undefined
        : never;

type Spec<S> = Omit<S, 'kind'>;

export const text = <T, const S extends Spec<TextSetting<T>>>(
  spec: S & Spec<TextSetting<T>>,
): S & { readonly kind: 'text' } & Parsed<T> => ({ ...spec, kind: 'text' });

export const list = <T>(spec: Spec<ListSetting<T>>): ListSetting<T> => ({ ...spec, kind: 'list' });

export const flag = (spec: Named & { readonly default?: boolean }): FlagSetting => ({
  ...spec,
  default: spec.default ?? false,
  kind: 'flag',
});

export const pem = (spec: Named & Partial<Pick<PemSetting, 'placeholder' | 'decode'>>): PemSetting => ({
  placeholder: 'PEM|PATH',
  ...spec,
  kind: 'pem',
});
