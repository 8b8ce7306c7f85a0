/** Makes yargs options of the table of settings, and rewrites arguments that yargs would read wrongly. */
import type { Options } from 'yargs';
import { advanced, helpOf, type Setting } from '../settings/setting.js';
import { settings, type SettingName } from '../settings/settings.js';

/** Which settings help shows; all of them, with their variables, in `extended`. */
export type ShownHelp = 'none' | 'usual' | 'extended';

export function yargsOptions(names: readonly SettingName[], help: ShownHelp): Record<string, Options> {
  return Object.fromEntries(names.map((name) => [settings[name].flag, yargsOption(name, help)]));
}

function yargsOption(name: SettingName, help: ShownHelp): Options {
  const setting: Setting = settings[name];
  const variable = help === 'extended' && setting.env !== undefined ? ` [${setting.env}]` : '';
  const common: Options = {
    group: `${setting.group}:`,
    describe: `${helpOf(setting)}${variable}`,
    hidden: help === 'none' || (setting.group === advanced && help === 'usual'),
  };
  if (setting.kind === 'switch') return { ...common, type: 'boolean' };
  // Every value is a string: yargs would make a number of replica id 123456789012.
  const value: Options = { ...common, type: 'string', requiresArg: false };
  return setting.kind === 'list' ? { ...value, array: true, nargs: 1 } : value;
}

const all = Object.values<Setting>(settings);
const switches = new Set(all.flatMap(({ kind, flag }) => (kind === 'switch' ? [flag] : [])));
const withValue = new Set(all.flatMap(({ kind, flag }) => (kind === 'switch' ? [] : [`--${flag}`])));
const options = new Set(all.flatMap(({ flag }) => [`--${flag}`, `--no-${flag}`]));

const switchWord = /^(1|true|yes|0|false|no)$/i;

interface NormalizedArguments {
  readonly argv: string[];
  /** What follows `--`. */
  readonly operands: string[];
  readonly faults: string[];
}

export function normalizeArguments(argv: readonly string[]): NormalizedArguments {
  const { joined, operands } = joinValues(argv);
  const faults: string[] = [];
  return { argv: joined.map((argument) => normalizeSwitch(argument, faults)), operands, faults };
}

/**
 * Rewrites `--name VALUE` to `--name=VALUE` where VALUE begins with a dash and is no setting: yargs would take the PEM
 * text of `--ucp-ca "$(cat ca.pem)"`, or a password, for options. And `--switch yes` to `--switch=yes`: `yes` would be the
 * file that `backup` writes in place of stdout.
 */
function joinValues(argv: readonly string[]): { readonly joined: string[]; readonly operands: string[] } {
  const joined: string[] = [];
  for (const [index, argument] of argv.entries()) {
    const before = joined.at(-1) ?? '';
    const isDashed = argument.startsWith('-') && !options.has(argument.replace(/=.*/s, ''));
    const isValue = withValue.has(before) ? isDashed : switches.has(before.slice(2)) && switchWord.test(argument);
    if (isValue) joined[joined.length - 1] = `${before}=${argument}`;
    else if (argument === '--') return { joined, operands: argv.slice(index + 1) };
    else joined.push(argument);
  }
  return { joined, operands: [] };
}

/** Rewrites `--flag=yes` and the like: yargs takes every word but `true` for false, and would turn a setting off. */
function normalizeSwitch(argument: string, faults: string[]): string {
  const [, flag = '', word = ''] = /^--([\w-]+)=(.*)$/s.exec(argument) ?? [];
  if (!switches.has(flag)) return argument;
  if (/^(0|false|no)$/i.test(word)) return `--no-${flag}`;
  if (!switchWord.test(word)) faults.push(`--${flag} must be one of 1, true, yes, 0, false, no`);
  return `--${flag}`;
}
