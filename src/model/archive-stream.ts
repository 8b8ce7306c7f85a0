/** Where archives come from and go to, as the code sees it that reads and writes them; `src/store/` makes them. */

import type { ArchiveFacts } from './summary.js';

/** An archive to be read. */
export interface Input extends AsyncDisposable {
  /** What operators call it in messages. */
  readonly name: string;
  /** Where the size is known before it is read. */
  readonly sizeBytes?: number;
  /** Of an archive that turns out to be damaged: what probably happened to it; undefined where nothing shows it. */
  readonly hint?: () => string | undefined;
  /** The bytes, once. Throws a JobError with exit code 2 when they cannot be read, or the signal's reason. */
  readonly chunks: AsyncIterable<Buffer>;
  /** The same file once more from its start, through the same descriptor, which stays this input's; absent for a stream. */
  readonly again?: () => Input;
}

/** An archive that is read more than once. */
export interface ArchiveSource extends AsyncDisposable {
  /** The next reading, from the start; the one before must have been read to its end, and disposed. */
  readonly open: () => Promise<Input>;
}

/** An archive to be written. The awaited write is the only back-pressure between RethinkDB and the receiver of the archive. */
export interface Output extends AsyncDisposable {
  /** What operators call it in messages. */
  readonly name: string;
  /** Where what is written goes out in another form: how, and in how many bytes so far. */
  readonly wrapped?: { readonly bytes: number; readonly how: string };
  /** Resolves when the bytes have been taken; the chunk may be used again then. Throws a JobError with exit code 8. */
  write(chunk: Buffer): Promise<void>;
  /** Makes what was written final. Nothing may be written after it; without it, disposing discards what can be. */
  commit(): Promise<void>;
}

/** Where a job writes its archive. */
export interface Destination<About> {
  /** Called once it is clear what will be written, so that a run that is refused earlier leaves nothing. */
  readonly open: (about: About) => Promise<Output>;
  /** Called once the output is committed. Throws a JobError with exit code 8. */
  readonly committed: (facts: ArchiveFacts) => Promise<void>;
}

/** Where bytes leave the process for good: stdout, or a part of a test. */
export interface ByteSink {
  /** Resolves when the operating system has taken every byte. One write at a time. Rejects with its error, or a JobError. */
  write(bytes: Buffer): Promise<void>;
  /** After the last write: resolves when what was written is where it was sent. Rejects like `write`. */
  commit(): Promise<void>;
}
