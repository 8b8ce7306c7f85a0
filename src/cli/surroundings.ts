/** What the command line and its commands see of the process, and what a command is. */
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../base/clock.js';
import type { SettingSources } from '../config/reader.js';
import type { SettingName } from '../config/settings.js';
import type { World } from '../jobs/world.js';

/** Everything of the process that the program sees; main.ts fills it in. */
export interface Surroundings extends Omit<SettingSources, 'flags'> {
  readonly argv: readonly string[];
  /** Opened only by a command that reads it: an opened stdin can keep a process waiting. */
  readonly stdin: { readonly open: () => Readable; readonly isTerminal: boolean };
  readonly stdout: { readonly stream: Writable; readonly fd: number; readonly isTerminal: boolean };
  /** Prints a report on stdout; resolves when it has been taken. */
  readonly print: (text: string) => Promise<void>;
  /** Writes at once: the process may end after any line. */
  readonly stderr: { readonly write: (text: string) => void; readonly isTerminal: boolean };
  /** Told of what Node warns of, in place of stderr. */
  readonly onWarning: (tell: (warning: string) => void) => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly hostName: string;
  readonly tool: { readonly name: string; readonly version: string };
}

/** What a command's file gets. */
export interface CommandRun {
  readonly surroundings: Surroundings;
  /** What the command line said, by flag. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** The file the command line names; `-`, which is stdin, where it names none or the command takes none. */
  readonly file: string;
  /** What is wrong with the command line itself; to be reported together with the faults of the settings. */
  readonly faults: readonly string[];
  readonly world: World;
}

export interface Command {
  readonly name: string;
  readonly help: string;
  readonly settings: readonly SettingName[];
  /** What the command's `[file]` is, for help; absent where it takes none. */
  readonly file?: string;
  readonly run: (call: CommandRun) => Promise<void>;
}
