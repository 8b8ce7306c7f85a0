/** Makes yargs options of the table of settings, and repairs what yargs gets wrong about them. */
import type { Options } from 'yargs';
import type { Setting } from '../settings/setting.js';
import { helpGroupOf, settings, type SettingName } from '../settings/settings.js';

/** Which settings help shows: all of them, with their variables, where it is `extended`. */
export type ShownHelp = 'none' | 'usual' | 'extended';

/** The yargs options of some settings. */
export function yargsOptions(names: readonly SettingName[], help: ShownHelp): Record<string, Options> {
  const entries = names.map((name): [string, Options] => {
    const setting: Setting = settings[name];
    const variable = help === 'extended' && setting.env !== undefined ? ` [${setting.env}]` : '';
    const byDefault = setting.kind === 'text' && setting.default !== undefined ? ` (default ${setting.default})` : '';
    const group = setting.extended === true ? 'Advanced' : helpGroupOf(name);
    const common = {
      ...(group !== undefined && { group: `${group}:` }),
      describe: `${setting.help}${byDefault}${variable}`,
      hidden: help === 'none' || (setting.extended === true && help === 'usual'),
    };
    if (setting.kind === 'flag') return [setting.flag, { ...common, type: 'boolean' }];
    // Every value is a string: yargs would make a number of replica id 123456789012.
    const value = { ...common, type: 'string' as const, requiresArg: false };
    return [setting.flag, setting.kind === 'list' ? { ...value, array: true, nargs: 1 } : value];
  });
  return Object.fromEntries(entries);
}

/**
 * Rewrites `--name VALUE` to `--name=VALUE` where VALUE begins with a dash and is no setting of ours: yargs would take
 * the PEM text of `--ucp-ca "$(cat ca.pem)"`, or a password, for options. `operands` is what follows `--`.
 */
export function joinValues(argv: readonly string[]): { readonly argv: string[]; readonly operands: string[] } {
  const all = Object.values<Setting>(settings);
  const takesValue = new Set(all.flatMap(({ kind, flag }) => (kind === 'flag' ? [] : [`--${flag}`])));
  const options = new Set(all.flatMap(({ flag }) => [`--${flag}`, `--no-${flag}`]));
  const joined: string[] = [];
  for (const [index, argument] of argv.entries()) {
    const before = joined.at(-1);
    const isValue = argument.startsWith('-') && !options.has(argument.replace(/=.*/s, ''));
    if (before !== undefined && takesValue.has(before) && isValue) joined[joined.length - 1] = `${before}=${argument}`;
    else if (argument === '--') return { argv: joined, operands: argv.slice(index + 1) };
    else joined.push(argument);
  }
  return { argv: joined, operands: [] };
}

/**
 * Rewrites `--flag=yes` and its like: yargs takes every word but `true` for false, which would silently turn a
 * setting off. Words that are no boolean stay as they are, in `badFlags`.
 */
export function normalizeFlags(argv: readonly string[]): { readonly argv: string[]; readonly faults: string[] } {
  const flags = new Set(Object.values<Setting>(settings).flatMap(({ kind, flag }) => (kind === 'flag' ? [flag] : [])));
  const faults: string[] = [];
  const normalized = argv.map((argument) => {
    const [, flag = '', word = ''] = /^--([\w-]+)=(.*)$/s.exec(argument) ?? [];
    if (!flags.has(flag)) return argument;
    if (/^(1|true|yes)$/i.test(word)) return `--${flag}`;
    if (/^(0|false|no)$/i.test(word)) return `--no-${flag}`;
    faults.push(`--${flag} must be one of 1, true, yes, 0, false, no`);
    return `--${flag}`;
  });
  return { argv: normalized, faults };
}
