/**
 * Reads settings from flag, environment, NAME_FILE, .env and default, in this order of precedence. Collects every fault,
 * so that an operator can mend them all at once. No fault quotes a value: it may be secret.
 */
import { parse as parseDotenv } from 'dotenv';
import { errorCode, UsageError } from '../base/errors.js';
import { Secret } from '../base/secret.js';
import { checkSecretFile, checkSecretText } from './secret-text.js';
import { variablesOf, type Setting } from './setting.js';
import { settings, type SettingName, type SettingValues } from './settings.js';

export interface SettingSources {
  /** The command line, by flag; the value of a list is an array. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of `.env` in the working directory, where there is one. */
  readonly dotenv: string | undefined;
  /** Reads a file that a setting names. */
  readonly readFile: (path: string) => Buffer;
}

export interface ReadSettings<N extends SettingName> {
  readonly values: SettingValues<N>;
  /** The settings that some source gave, good or bad. */
  readonly given: ReadonlySet<SettingName>;
  /** Those that `.env` gave: as text, or by naming a file. */
  readonly inDotenv: ReadonlyMap<SettingName, 'text' | 'file'>;
  /** One line for each fault so far; checks across settings add theirs before `rejectFaults`. */
  readonly faults: string[];
  /** One line for each flag that has no effect. */
  readonly warnings: readonly string[];
  /** The default that `msr backup` of MSR 3 has. Adds to the faults where its file is there and cannot be read. */
  readonly readDefaultInMsr: <M extends N>(name: M) => DefaultInMsr<SettingValues<M>[M]>;
}

interface DefaultInMsr<T> {
  /** Whether there is a default, with the file that it names. */
  readonly isThere: boolean;
  readonly value: T | undefined;
}

/** Reads all `names`. A setting with a fault has no value. */
export function readSettings<const N extends SettingName>(
  names: readonly N[],
  sources: SettingSources,
): ReadSettings<N> {
  const reader = new SettingReader(sources);
  const given = new Set<SettingName>();
  const inDotenv = new Map<SettingName, 'text' | 'file'>();
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of names) {
    const { value, isGiven, dotenv } = reader.read(settings[name]);
    values[name] = value;
    if (isGiven) given.add(name);
    if (dotenv !== undefined) inDotenv.set(name, dotenv);
  }
  const { faults, warnings } = reader;
  const readDefaultInMsr: ReadSettings<N>['readDefaultInMsr'] = (name) =>
    reader.readDefaultInMsr(settings[name]) as never;
  return { values: values as SettingValues<N>, given, inDotenv, faults, warnings, readDefaultInMsr };
}

/** Throws a UsageError when there is any fault. */
export function rejectFaults(faults: readonly string[]): void {
  if (faults.length > 0) throw new UsageError(faults);
}

/** What a source gives for a setting: text, or the bytes of a file, undefined where it cannot be read. */
interface Found {
  readonly content: string | Buffer | undefined;
  /** The source, for messages. */
  readonly origin: string;
  readonly dotenv: 'text' | 'file' | undefined;
}

type SingleSetting = Exclude<Setting, { readonly kind: 'list' }>;

const booleans: Readonly<Record<string, boolean>> = {
  1: true,
  true: true,
  yes: true,
  0: false,
  false: false,
  no: false,
};

/** What the name of a default's file stands for is not there: no fault. */
const missing: readonly (string | undefined)[] = ['ENOENT', 'ENOTDIR'];

class SettingReader {
  readonly faults: string[] = [];
  readonly warnings: string[] = [];
  readonly #defaultsInMsr = new Map<string, DefaultInMsr<unknown>>();
  readonly #sources: SettingSources;
  readonly #dotenv: Readonly<Record<string, string>>;

  constructor(sources: SettingSources) {
    this.#sources = sources;
    this.#dotenv = sources.dotenv === undefined ? {} : parseDotenv(sources.dotenv);
  }

  read(setting: Setting): { readonly value: unknown; readonly isGiven: boolean; readonly dotenv?: Found['dotenv'] } {
    const given = this.#sources.flags[setting.flag];
    if (setting.noEffect !== undefined) return this.#ignore(setting, given);
    if (setting.kind === 'list') {
      const texts = Array.isArray(given) ? given.map(String) : [];
      return { value: texts.map((text) => this.#parse(setting, text, `--${setting.flag}`)), isGiven: texts.length > 0 };
    }
    const found =
      this.#findFlag(setting, given) ?? this.#findVariable(setting, 'env') ?? this.#findVariable(setting, '.env');
    if (found !== undefined) {
      const value = this.#value(setting, found);
      if (setting.refusal !== undefined && value === true) this.faults.push(`${found.origin} ${setting.refusal}`);
      return { value, isGiven: true, dotenv: found.dotenv };
    }
    if (!('default' in setting)) return { value: undefined, isGiven: false };
    return { value: setting.kind === 'switch' ? setting.default : setting.parse(setting.default), isGiven: false };
  }

  /** Reads each once, so that its fault is told once. */
  readDefaultInMsr(setting: Setting): DefaultInMsr<unknown> {
    const known = this.#defaultsInMsr.get(setting.flag) ?? this.#findDefaultInMsr(setting);
    this.#defaultsInMsr.set(setting.flag, known);
    return known;
  }

  #findDefaultInMsr(setting: Setting): DefaultInMsr<unknown> {
    const { defaultInMsr, flag, kind } = setting;
    if (defaultInMsr === undefined || !this.#isThere(kind, defaultInMsr)) return { isThere: false, value: undefined };
    const found = { content: defaultInMsr, origin: `--${flag} (by default ${defaultInMsr})`, dotenv: undefined };
    return { isThere: true, value: setting.kind === 'list' ? undefined : this.#value(setting, found) };
  }

  #isThere(kind: Setting['kind'], path: string): boolean {
    if (kind !== 'pem') return true;
    try {
      this.#sources.readFile(path);
      return true;
    } catch (error) {
      return !missing.includes(errorCode(error));
    }
  }

  #ignore({ flag, kind, noEffect }: Setting, given: unknown): { readonly value: unknown; readonly isGiven: boolean } {
    if (given !== undefined) this.warnings.push(`--${flag} has no effect: ${noEffect ?? ''}`);
    return { value: kind === 'switch' ? false : undefined, isGiven: given !== undefined };
  }

  #findFlag({ flag }: Setting, given: unknown): Found | undefined {
    if (given === undefined) return undefined;
    if (Array.isArray(given)) this.faults.push(`--${flag} is given more than once`);
    return { content: String(Array.isArray(given) ? given[0] : given), origin: `--${flag}`, dotenv: undefined };
  }

  /** Two variables of one setting must agree. */
  #findVariable(setting: Setting, place: 'env' | '.env'): Found | undefined {
    const [found, other] = variablesOf(setting).flatMap((name) => this.#findNamed(name, place) ?? []);
    if (found === undefined || other === undefined) return found;
    const [value, otherValue] = [found, other].map(({ content }) => meaningOf(setting, content));
    if (value === otherValue || value === undefined || otherValue === undefined) return found;
    this.faults.push(`${found.origin} and ${other.origin} differ: set one of them`);
    return { ...found, content: undefined };
  }

  /** An empty variable counts as unset: `--env NAME=$NAME` passes one when the shell does not know NAME. */
  #findNamed(name: string, place: 'env' | '.env'): Found | undefined {
    const isDotenv = place === '.env';
    const variables = isDotenv ? this.#dotenv : this.#sources.env;
    const where = isDotenv ? ' in .env' : '';
    const text = variables[name];
    const path = variables[`${name}_FILE`];
    if (text && path) this.faults.push(`${name} and ${name}_FILE are both set${where}: set one of them`);
    if (text) return { content: text, origin: `${name}${where}`, dotenv: isDotenv ? 'text' : undefined };
    if (!path) return undefined;
    const origin = `${name}_FILE${where}`;
    return { content: this.#readFile(path, origin), origin, dotenv: isDotenv ? 'file' : undefined };
  }

  #value(setting: SingleSetting, { content, origin, dotenv }: Found): unknown {
    if (dotenv !== undefined && setting.notInDotenv === true) {
      const advice = `use --${setting.flag}, or the environment`;
      this.faults.push(`${origin} is refused, because it would weaken a check: ${advice}`);
      return undefined;
    }
    if (content === undefined) return undefined;
    if (setting.kind === 'secret') return this.#secret(content, origin);
    const text = textOf(content);
    if (setting.kind === 'text') return this.#parse(setting, text, origin);
    if (setting.kind === 'pem') return this.#pem(setting, text, origin);
    const isOn = booleans[text.trim().toLowerCase()];
    return this.#expect(isOn, `${origin} must be one of 1, true, yes, 0, false, no`) ?? false;
  }

  #expect<T>(value: T | undefined, fault: string): T | undefined {
    if (value === undefined) this.faults.push(fault);
    return value;
  }

  #parse({ parse, expects }: Setting & { kind: 'text' | 'list' }, text: string, origin: string): unknown {
    return this.#expect(text === '' ? undefined : parse(text), `${origin} must be ${expects ?? 'given a value'}`);
  }

  #secret(content: string | Buffer, origin: string): Secret | undefined {
    const read = typeof content === 'string' ? checkSecretText(content) : checkSecretFile(content);
    if (read.kind === 'secret') return new Secret(read.text);
    this.faults.push(`${origin} ${read.fault}`);
    return undefined;
  }

  #pem({ decode }: Setting & { kind: 'pem' }, text: string, origin: string): string | undefined {
    if (text.includes('-----BEGIN ')) return text;
    const bytes = this.#readFile(text, origin);
    if (bytes === undefined) return undefined;
    const content = decode?.(bytes) ?? bytes.toString('utf8');
    const isPem = content.includes('-----BEGIN ');
    return this.#expect(isPem ? content : undefined, `${origin} must be PEM text or the path of a PEM file`);
  }

  #readFile(path: string, origin: string): Buffer | undefined {
    try {
      return this.#sources.readFile(path);
    } catch (error) {
      // Node's message quotes the path, which may be the secret itself, given in place of the path of its file.
      this.faults.push(`${origin}: cannot read the file it names (${errorCode(error) ?? 'unreadable'})`);
      return undefined;
    }
  }
}

/** What two spellings of one value have in common; undefined for a file that cannot be read. */
function meaningOf({ kind }: Setting, content: Found['content']): unknown {
  if (content === undefined) return undefined;
  const text = textOf(content);
  return kind === 'switch' ? (booleans[text.trim().toLowerCase()] ?? text) : text;
}

/** Files are often made with `echo`: one newline at the end is not part of the value. */
function textOf(content: string | Buffer): string {
  return typeof content === 'string' ? content : content.toString('utf8').replace(/\r?\n$/, '');
}
