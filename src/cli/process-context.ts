/** What the program sees of the process. */
import type { Clock } from '../base/clock.js';
import type { SettingSources } from '../settings/reader.js';
import type { Stdin } from '../store/standard-input.js';
import type { Stdout } from '../store/standard-output.js';

/** Filled in by main.ts. */
export interface ProcessContext extends Omit<SettingSources, 'flags'> {
  readonly argv: readonly string[];
  readonly stdin: Stdin;
  readonly stdout: Stdout;
  /** Writes at once: the process may end after any line. */
  readonly stderr: { readonly write: (text: string) => void; readonly isTerminal: boolean };
  /** Aborts when the run must end: by a signal, or by an uncaught exception. */
  readonly signal: AbortSignal;
  /** Called once: from then on, `events` receives what Node reports. */
  readonly observe?: (events: ProcessEvents) => void;
  readonly clock: Clock;
  readonly hostName: string;
  readonly temporaryDirectory: string;
  readonly tool: { readonly name: string; readonly version: string };
}

/** What Node reports outside any call. */
export interface ProcessEvents {
  /** Of Node itself (MaxListenersExceededWarning, DeprecationWarning), which it would print on stderr. */
  readonly warning: (warning: Error) => void;
  /** An uncaught exception or rejection; `signal` aborts with it. */
  readonly uncaught: (error: unknown) => void;
}
