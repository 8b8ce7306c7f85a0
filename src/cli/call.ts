/** Parses the command line with yargs: which command, which flags, and every fault in it. */
import yargs, { type Argv } from 'yargs';
import { UsageError } from '../base/errors.js';
import { exitCodeMeanings } from '../base/exit-codes.js';
import { globalSettings, type SettingName } from '../settings/settings.js';
import { normalizeArguments, yargsOptions, type ShownHelp } from './arguments.js';
import type { Command, CommandRun } from './commands.js';
import type { ProcessContext } from './process-context.js';

export type Call =
  | { readonly kind: 'text'; readonly text: string; readonly isAsked: boolean }
  | ({ readonly kind: 'command'; readonly command: Command } & Pick<CommandRun, 'flags' | 'file' | 'faults'>);

const tooMany = 'too many arguments';
const fileHelp: Readonly<Record<Command['argument'], string>> = {
  input: 'the archive: a file, s3://bucket/key or sftp://user@host/path; stdin when it is - or absent',
  output: 'the same as --output PLACE; stdout when it is - or absent',
  place: 'the directory, or the prefix in a bucket, that holds the archives',
};

/**
 * Finds the command and its flags. Asking for help or the version gives a text to print instead, and so does
 * `isHelpForced`, which the command line has not asked for.
 */
export async function parseCall(
  { argv: given, tool }: Pick<ProcessContext, 'argv' | 'tool'>,
  commands: readonly Command[],
  isHelpForced = false,
): Promise<Call> {
  const { argv, operands, faults } = normalizeArguments(given);
  if (argv.includes('--version')) return { kind: 'text', text: tool.version, isAsked: true };
  const isAsked = shownHelp(argv) !== 'none';
  const help = isHelpForced ? 'extended' : shownHelp(argv);
  let chosen: Pick<Call & { kind: 'command' }, 'command' | 'flags' | 'file'> | undefined;
  let parser = quietParser(argv)
    .scriptName(tool.name)
    .strict()
    .demandCommand(1, 1, 'a command is missing', 'one command only')
    // Collected, not thrown: they are reported together with the faults of the settings.
    .fail((message) => void faults.push(withoutValues(message, argv)));
  for (const command of commands) {
    const { name, argument } = command;
    parser = parser.command(
      `${name} [file]`,
      command.help,
      (sub: Argv) => {
        const withFile = sub.positional('file', { type: 'string', describe: fileHelp[argument] });
        return describe(withFile, [...command.settings, ...globalSettings], help);
      },
      (flags) => {
        const files = [...filesOf(flags, argv), ...operands];
        // Never quoted: it may be a secret that a flag was to take.
        if (files.length > 1) faults.push(tooMany);
        const [file] = files;
        if (argument === 'output') chosen = { command, flags: withOutput(flags, file, faults), file: undefined };
        else chosen = { command, flags, file };
      },
    );
  }
  parser = describe(parser, globalSettings, help);
  if (help !== 'none') return { kind: 'text', text: await parser.getHelp(), isAsked };
  await parser.parseAsync();
  if (chosen === undefined) throw new UsageError(faults);
  return { kind: 'command', ...chosen, faults };
}

/** yargs quotes arguments that it cannot place, and one may be a secret that a flag was to take: only flags are named. */
function withoutValues(message: string, argv: readonly string[]): string {
  const text = message.replace(/^./, (first) => first.toLowerCase());
  const [, start, list = ''] = /^(unknown arguments?): (.*)$/s.exec(text) ?? [];
  if (start === undefined) return text;
  const isFlag = (name: string): boolean => argv.some((argument) => argument.replace(/=.*/s, '') === `--${name}`);
  const names = list.split(', ').filter(isFlag);
  return names.length > 0 ? `unknown flag: ${names.map((name) => `--${name}`).join(', ')}` : tooMany;
}

/** `backup FILE`, as in MSR 3, is `backup --output FILE`. */
function withOutput(flags: CommandRun['flags'], file: string | undefined, faults: string[]): CommandRun['flags'] {
  if (file === undefined) return flags;
  if (flags.output !== undefined && flags.output !== file) {
    faults.push('FILE and --output FILE are both given, and differ: give one of them');
  }
  return { ...flags, output: file };
}

/** yargs makes an empty text of a lone `-`. */
function filesOf({ file }: Readonly<Record<string, unknown>>, argv: readonly string[]): string[] {
  if (typeof file !== 'string') return [];
  return [file === '' && argv.includes('-') ? '-' : file];
}

/** The flags that every command has, whatever else is wrong with the command line. */
export async function parseGlobalFlags(given: readonly string[]): Promise<CommandRun['flags']> {
  return quietParser(normalizeArguments(given).argv)
    .options(yargsOptions(globalSettings, 'none'))
    .fail(() => undefined)
    .parseAsync();
}

/** A parser that prints nothing, never ends the process and reads every value as text. */
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

/** yargs renders the help of every command that it finds, also when it is not shown: it is kept small then. */
function describe<T>(parser: Argv<T>, names: readonly SettingName[], help: ShownHelp): Argv<T> {
  const described = parser.options(yargsOptions(names, help)) as Argv<T>;
  if (help === 'none') return described;
  const codes = exitCodeMeanings.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`);
  const variables = help === 'extended' ? 'Every variable DTR_NAME is also read as MSR_NAME.\n\n' : '';
  return described.epilogue(`${variables}Exit codes:\n${codes.join('\n')}`);
}
