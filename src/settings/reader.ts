/**
 * Reads settings from their sources and collects every fault of the call, so that an operator mends them all at once.
 * Values never appear in a fault: they may be secret.
 */
import { parse as parseDotenv } from 'dotenv';
import { errorCode, UsageError } from '../base/errors.js';
import { secretInFile, secretInText } from './secret-text.js';
import type { Setting } from './setting.js';
import { settings, type SettingName, type SettingValues } from './settings.js';
import { secret } from './value-parsers.js';

export interface SettingSources {
  /** What the command line said, by flag; a list setting's value is an array. */
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
  /** Those that `.env` gave; `file`: that it names a file for. */
  readonly inDotenv: ReadonlyMap<SettingName, 'text' | 'file'>;
  /** One line for each fault so far; checks across settings add theirs before `rejectFaults`. */
  readonly faults: string[];
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
  return { values: values as SettingValues<N>, given, inDotenv, faults: reader.faults };
}

/** Throws a UsageError when there is any fault. */
export function rejectFaults(faults: readonly string[]): void {
  if (faults.length > 0) throw new UsageError(faults);
}

/** What was found for a setting, and where, for messages: a text, or the bytes of a file that NAME_FILE names. */
interface Found {
  readonly content: string | Buffer;
  readonly origin: string;
  /** Where it comes from `.env`: whether as text, or by a file named there. */
  readonly dotenv?: 'text' | 'file';
}

interface ReadValue {
  readonly value: unknown;
  readonly isGiven: boolean;
  readonly dotenv?: 'text' | 'file';
}

const inDotenvText = ' in .env';

class SettingReader {
  readonly faults: string[] = [];
  readonly #sources: SettingSources;
  readonly #dotenv: Readonly<Record<string, string>>;

  constructor(sources: SettingSources) {
    this.#sources = sources;
    this.#dotenv = sources.dotenv === undefined ? {} : parseDotenv(sources.dotenv);
  }

  read(setting: Setting): ReadValue {
    const fromFlag = this.#sources.flags[setting.flag];
    if (setting.kind === 'list') {
      const texts = Array.isArray(fromFlag) ? fromFlag.map(String) : [];
      const value = texts.map((text) => this.#parsed(setting, { content: text, origin: `--${setting.flag}` }));
      return { value, isGiven: texts.length > 0 };
    }
    if (setting.kind === 'flag' && typeof fromFlag === 'boolean') return { value: fromFlag, isGiven: true };
    const found = this.#fromFlag(setting, fromFlag) ?? this.#fromEnvironment(setting);
    if (found === 'unreadable') return { value: undefined, isGiven: true };
    if (found !== undefined) return this.#found(setting, found);
    if (setting.kind === 'pem' || setting.default === undefined) return { value: undefined, isGiven: false };
    return { value: setting.kind === 'flag' ? setting.default : setting.parse(setting.default), isGiven: false };
  }

  #fromFlag({ flag }: Setting, given: unknown): Found | undefined {
    if (given === undefined) return undefined;
    if (Array.isArray(given)) this.faults.push(`--${flag} is given more than once`);
    return { content: String(Array.isArray(given) ? given[0] : given), origin: `--${flag}` };
  }

  #found(setting: Setting & { kind: 'text' | 'flag' | 'pem' }, found: Found): ReadValue {
    const { origin, dotenv } = found;
    if (dotenv !== undefined && setting.notInDotenv === true) {
      this.faults.push(`${origin} is not read, for it would weaken a check: use --${setting.flag}, or the environment`);
      return { value: undefined, isGiven: true, dotenv };
    }
    return { value: this.#interpreted(setting, found), isGiven: true, ...(dotenv && { dotenv }) };
  }

  #interpreted(setting: Setting & { kind: 'text' | 'flag' | 'pem' }, found: Found): unknown {
    if (setting.kind === 'flag') return this.#boolean(found);
    return setting.kind === 'pem' ? this.#pem(setting, found) : this.#parsed(setting, found);
  }

  #fromEnvironment({ env }: Setting): Found | 'unreadable' | undefined {
    if (env === undefined) return undefined;
    return this.#fromVariables(env, this.#sources.env, '') ?? this.#fromVariables(env, this.#dotenv, inDotenvText);
  }

  /** An empty variable counts as unset: `--env NAME=$NAME` passes one when the shell does not know NAME. */
  #fromVariables(name: string, variables: SettingSources['env'], where: string): Found | 'unreadable' | undefined {
    const text = variables[name];
    const path = variables[`${name}_FILE`];
    if (text && path) this.faults.push(`${name} and ${name}_FILE are both set${where}: set one of them`);
    const isDotenv = where === inDotenvText;
    if (text) return { content: text, origin: `${name}${where}`, ...(isDotenv && { dotenv: 'text' as const }) };
    if (!path) return undefined;
    const origin = `${name}_FILE${where}`;
    const content = this.#file(path, origin);
    if (content === undefined) return 'unreadable';
    return { content, origin, ...(isDotenv && { dotenv: 'file' as const }) };
  }

  #parsed(setting: Setting & { kind: 'text' | 'list' }, found: Found): unknown {
    return setting.parse === secret ? this.#secret(setting, found) : this.#value(setting, found);
  }

  #secret(setting: Setting & { kind: 'text' | 'list' }, { content, origin }: Found): unknown {
    // An empty argument is a setting without its value, like any other.
    if (content === '') return this.#value(setting, { content, origin });
    const read = typeof content === 'string' ? secretInText(content) : secretInFile(content);
    if ('text' in read) return setting.parse(read.text);
    this.faults.push(`${origin} ${read.fault}`);
    return undefined;
  }

  #value(setting: Setting & { kind: 'text' | 'list' }, found: Found): unknown {
    const { origin } = found;
    const text = textOf(found);
    const value = text === '' ? undefined : setting.parse(text);
    if (value === undefined) this.faults.push(`${origin} must be ${setting.expects ?? 'given a value'}`);
    return value;
  }

  #boolean(found: Found): boolean {
    const { origin } = found;
    const words: Readonly<Record<string, boolean>> = {
      1: true,
      true: true,
      yes: true,
      0: false,
      false: false,
      no: false,
    };
    const value = words[textOf(found).trim().toLowerCase()];
    if (value === undefined) this.faults.push(`${origin} must be one of 1, true, yes, 0, false, no`);
    return value ?? false;
  }

  #pem({ decode }: Setting & { kind: 'pem' }, found: Found): string | undefined {
    const { origin } = found;
    const text = textOf(found);
    if (text.includes('-----BEGIN ')) return text;
    const bytes = this.#file(text, origin);
    const content = bytes && (decode?.(bytes) ?? bytes.toString('utf8'));
    if (content === undefined || content.includes('-----BEGIN ')) return content;
    this.faults.push(`${origin} must be PEM text or the path of a PEM file`);
    return undefined;
  }

  #file(path: string, origin: string): Buffer | undefined {
    try {
      return this.#sources.readFile(path);
    } catch (error) {
      // Node's message quotes the path, which may be the secret itself, put where its file should be named.
      this.faults.push(`${origin}: cannot read the file it names (${errorCode(error) ?? 'unreadable'})`);
      return undefined;
    }
  }
}

/** Files are often made with `echo`: one newline at the end is not part of the value. */
function textOf({ content }: Found): string {
  return typeof content === 'string' ? content : content.toString('utf8').replace(/\r?\n$/, '');
}
