/**
 * The commands, in the order of help. The module of each, and with it the job and the packages that it needs, is loaded
 * when the command runs: loading those of all commands takes longer than most runs do.
 */
import { readSettings, type ReadSettings } from '../settings/reader.js';
import { commandSettings, type CommandName, type SettingName } from '../settings/settings.js';
import type { JobContext } from '../jobs/job-context.js';
import type { RunMonitor } from '../monitors/run-monitor.js';
import { startMonitor } from './monitoring.js';
import type { ProcessContext } from './process-context.js';

/** One run of a command, as the command line asks for it. */
export interface CommandRun {
  readonly processContext: ProcessContext;
  readonly context: JobContext;
  /** The command line, by flag. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** The argument of a command that reads an archive or a place; undefined where there is none. */
  readonly file: string | undefined;
  /** Of the command line itself; reported together with the faults of the settings. */
  readonly faults: readonly string[];
  /** Of this run; told of its settings once they are read, and of the archive that it has written. */
  readonly monitor: RunMonitor;
}

/** The settings of a command, read, with every fault so far. */
export type SettingsOf<C extends CommandName> = ReadSettings<(typeof commandSettings)[C][number]>;

/** Checks the settings, throwing a UsageError with all faults at once, opens what it needs, and runs the job. */
export type RunCommand<C extends CommandName> = (read: SettingsOf<C>, run: CommandRun) => Promise<void>;

export interface Command {
  readonly name: CommandName;
  readonly help: string;
  readonly settings: readonly SettingName[];
  /** Whether its argument is the archive to read, the one to write, or the place of many. */
  readonly argument: 'input' | 'output' | 'place';
  readonly run: (run: CommandRun) => Promise<void>;
}

function command<C extends CommandName>(name: C, help: string, load: () => Promise<RunCommand<C>>): Command {
  const settings: readonly (typeof commandSettings)[C][number][] = commandSettings[name];
  const argument = argumentOf(name);
  return {
    name,
    help,
    settings,
    argument,
    async run(run) {
      const read = readSettings(settings, { ...run.processContext, flags: run.flags });
      read.faults.unshift(...run.faults);
      for (const warning of read.warnings) run.context.log.warn(warning);
      await startMonitor(name, read, run);
      const runCommand = await load();
      await runCommand(read, run);
    },
  };
}

function argumentOf(name: CommandName): Command['argument'] {
  if (name === 'backup' || name === 'images') return 'output';
  return name === 'list' || name === 'prune' ? 'place' : 'input';
}

export const commands: readonly Command[] = [
  command('backup', 'write the metadata of a DTR replica as one tar', async () => {
    return (await import('./backup-command.js')).runBackup;
  }),
  command('images', 'write the image content of a DTR replica as one tar', async () => {
    return (await import('./images-command.js')).runImages;
  }),
  command('verify', 'verify that an archive is complete and unaltered; the exit code is the verdict', async () => {
    return (await import('./verify-command.js')).runVerify;
  }),
  command('inspect', 'show what is in an archive', async () => {
    return (await import('./inspect-command.js')).runInspect;
  }),
  command('restore', "write an archive into a replica's RethinkDB", async () => {
    return (await import('./restore-command.js')).runRestore;
  }),
  command('convert', 'rewrite an archive: changes applied, another document encoding, fewer tables', async () => {
    return (await import('./convert-command.js')).runConvert;
  }),
  command('list', 'show the archives in a directory or bucket, the newest first', async () => {
    return (await import('./list-command.js')).runList;
  }),
  command('prune', 'remove archives from a directory or bucket, and say first which stay and why', async () => {
    return (await import('./prune-command.js')).runPrune;
  }),
];
