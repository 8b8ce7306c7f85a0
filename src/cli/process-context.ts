/** What the command line and its commands see of the process, and what a command is. */
import type { Clock } from '../base/clock.js';
import type { SettingSources } from '../settings/reader.js';
import type { SettingName } from '../settings/settings.js';
import type { JobContext } from '../jobs/job-context.js';
import type { Stdin } from '../store/standard-input.js';
import type { Stdout } from '../store/standard-output.js';

/** Everything of the process that the program sees; main.ts fills it in. */
export interface ProcessContext extends Omit<SettingSources, 'flags'> {
  readonly argv: readonly string[];
  readonly stdin: Stdin;
  readonly stdout: Stdout;
  /** Writes at once: the process may end after any line. */
  readonly stderr: { readonly write: (text: string) => void; readonly isTerminal: boolean };
  /** Aborts where the work is to end: by a signal, or by an exception that nobody caught. What was opened is closed then. */
  readonly signal: AbortSignal;
  /** Called once: from then on, what Node tells of goes to `events`. */
  readonly observe?: (events: ProcessEvents) => void;
  readonly clock: Clock;
  readonly hostName: string;
  readonly temporaryDirectory: string;
  readonly tool: { readonly name: string; readonly version: string };
}

/** What Node tells of outside any call of ours. */
export interface ProcessEvents {
  /** One of Node's own warnings (MaxListenersExceededWarning, DeprecationWarning), which it would print on stderr. */
  readonly warning: (warning: Error) => void;
  /** An exception or rejection that nobody caught; `signal` aborts with it. */
  readonly uncaught: (error: unknown) => void;
}

/** What a command's file gets. */
export interface CommandRun {
  readonly processContext: ProcessContext;
  /** What the command line said, by flag. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** The file the command line names; `-`, which is stdin, where it names none or the command takes none. */
  readonly file: string;
  /** What is wrong with the command line itself; to be reported together with the faults of the settings. */
  readonly faults: readonly string[];
  readonly context: JobContext;
}

export interface Command {
  readonly name: string;
  readonly help: string;
  readonly settings: readonly SettingName[];
  /** What the command's `[file]` is, for help; absent where it takes none. */
  readonly file?: string;
  readonly run: (call: CommandRun) => Promise<void>;
}
