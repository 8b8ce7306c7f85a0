/** Parses the command line with yargs: which command, which flags, and every fault in it. */
import yargs, { type Argv } from 'yargs';
import { UsageError } from '../base/errors.js';
import { exitCodeMeanings } from '../base/exit-codes.js';
import { globalSettings, type SettingName } from '../settings/settings.js';
import { joinValues, normalizeFlags, yargsOptions, type ShownHelp } from './arguments.js';
import type { Command, ProcessContext } from './process-context.js';

export type Call =
  | { readonly text: string }
  | {
      readonly command: Command;
      readonly flags: Readonly<Record<string, unknown>>;
      /** `-` where none is named. */
      readonly file: string;
      readonly faults: readonly string[];
    };

const tooMany = 'too many arguments';

/** Finds the command and its flags. Asking for help or the version gives a text to print instead. */
export async function parseCall(
  { argv, tool }: Pick<ProcessContext, 'argv' | 'tool'>,
  commands: readonly Command[],
): Promise<Call> {
  const { argv: joined, operands } = joinValues(argv);
  const { argv: normalized, faults } = normalizeFlags(joined);
  if (normalized.includes('--version')) return { text: tool.version };
  const help = shownHelp(normalized);
  let chosen: { command: Command; flags: Readonly<Record<string, unknown>>; file: string } | undefined;
  let parser = quietParser(normalized)
    .scriptName(tool.name)
    .strict()
    .demandCommand(1, 1, 'a command is missing', 'one command only')
    // Collected, not thrown: they are reported together with the faults of the settings.
    .fail((message) => void faults.push(withoutValues(message, normalized)));
  for (const command of commands) {
    parser = parser.command(
      command.file === undefined ? command.name : `${command.name} [file]`,
      command.help,
      (sub: Argv) => describe(withFile(sub, command.file), [...command.settings, ...globalSettings], help),
      (flags) => {
        const files = [...filesOf(flags, normalized), ...operands];
        // Not quoted, wherever it stands: it may be a secret that a flag was to take.
        if (files.length > (command.file === undefined ? 0 : 1)) faults.push(tooMany);
        chosen = { command, flags, file: files[0] ?? '-' };
      },
    );
  }
  parser = describe(parser, globalSettings, help);
  if (help !== 'none') return { text: await parser.getHelp() };
  await parser.parseAsync();
  if (chosen === undefined) throw new UsageError(faults);
  return { ...chosen, faults };
}

function withFile(parser: Argv, file: string | undefined): Argv {
  return file === undefined ? parser : parser.positional('file', { type: 'string', describe: file });
}

/**
 * yargs quotes whatever it cannot place, which may be a secret that a flag was to take: only names of flags are told.
 */
function withoutValues(message: string, argv: readonly string[]): string {
  const text = message.replace(/^./, (first) => first.toLowerCase());
  const [, start, list = ''] = /^(unknown arguments?): (.*)$/s.exec(text) ?? [];
  if (start === undefined) return text;
  const isFlag = (name: string): boolean => argv.some((argument) => argument.replace(/=.*/s, '') === `--${name}`);
  const names = list.split(', ').filter(isFlag);
  return names.length > 0 ? `unknown flag: ${names.map((name) => `--${name}`).join(', ')}` : tooMany;
}

/** yargs makes an empty text of a lone `-`. */
function filesOf({ file }: Readonly<Record<string, unknown>>, argv: readonly string[]): string[] {
  if (typeof file !== 'string') return [];
  return [file === '' && argv.includes('-') ? '-' : file];
}

/** The flags that every command has, whatever else is right or wrong with the call. */
export async function parseGlobalFlags(argv: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { argv: normalized } = normalizeFlags(joinValues(argv).argv);
  return quietParser(normalized)
    .options(yargsOptions(globalSettings, 'none'))
    .fail(() => undefined)
    .parseAsync();
}

/** One that prints nothing, ends no process and takes every value for text. */
function quietParser(argv: readonly string[]): Argv {
  return yargs(argv).exitProcess(false).help(false).version(false).parserConfiguration({
    'parse-numbers': false,
    'parse-positional-numbers': false,
    'camel-case-expansion': false,
    'dot-notation': false,
  });
}

function shownHelp(argv: readonly string[]): ShownHelp {
  if (argv.includes('--help-extended')) return 'extended';
  return argv.includes('--help') ? 'usual' : 'none';
}

/** yargs renders the help of every command that it finds, also where nobody asks for it: little is in it then. */
function describe<T>(parser: Argv<T>, names: readonly SettingName[], help: ShownHelp): Argv<T> {
  const described = parser.options(yargsOptions(names, help)) as Argv<T>;
  if (help === 'none') return described;
  const codes = exitCodeMeanings.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`);
  return described.epilogue(`Exit codes:\n${codes.join('\n')}`);
}
