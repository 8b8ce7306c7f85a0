/** What keeps archives: a directory of this machine, a bucket, a server. Nothing above knows which it is. */
import type { Input, Output } from '../model/archive-stream.js';

export interface Store extends AsyncDisposable {
  /** How messages call a file: `s3://bucket/archives/a.tar`. */
  nameOf(path: string): string;
  /** Throws a JobError with exit code 8 where no new file can have this path, as far as this can be known now. */
  assertFree(path: string, options: { readonly force: boolean }): Promise<void>;
  /**
   * Opens a file that appears at its path, whole, when it is committed, and never before. Throws a JobError with exit code
   * 8, also from `write` and `commit`. Disposing removes what was not committed as far as that is possible; it never
   * throws, and takes seconds at most.
   */
  openOutput(path: string, options: StoreOutputOptions): Promise<Output>;
  /** Throws a JobError with exit code 2 for what cannot be opened; reading throws one, or the signal's reason. */
  openInput(path: string): Promise<Input>;
  /**
   * The files whose paths begin with `directory` (empty, or ending in `/`) and hold no further `/`, in order of their paths.
   * Throws a JobError with exit code 2.
   */
  list(directory: string): Promise<readonly StoredFile[]>;
  /** The text of a small file; undefined where there is none. Throws a JobError with exit code 2, also beyond `maxTextBytes`. */
  readText(path: string): Promise<string | undefined>;
  /**
   * Writes a small file, whole or not at all. False where one exists and is not to be replaced, as sure as the store can be:
   * read it back where two may write at once. Throws a JobError with exit code 8.
   */
  writeText(path: string, text: string, options: { readonly replaces: boolean }): Promise<boolean>;
  /** Removes a file; one that is not there is no error. Throws a JobError with exit code 8. */
  remove(path: string): Promise<void>;
}

export interface StoredFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
}

export interface StoreOutputOptions {
  /** Replaces a file of the same path. */
  readonly force: boolean;
  /**
   * Reads back what was written, before it appears at its path where the store can do that, else directly after; it then
   * disappears again when this throws.
   */
  readonly verifyArchive?: ((open: () => Promise<Input>) => Promise<void>) | undefined;
}

/** What every store is made with. */
export interface StoreContext {
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

/** Of summaries and locks. */
export const maxTextBytes = 1024 * 1024;
