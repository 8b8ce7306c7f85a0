/**
 * Reads a storage that is mounted here through a process of its own (mounted-process.ts). Node waits for its threads
 * when it ends, so a disk that does not answer (NFS, a dead device) would keep it; a process can be left behind.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { withTimeout } from '../../base/deadline.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { ByteSource } from '../tar/byte-source.js';
import { answers, encodeFrame, lengthBytes, type MountedFrame } from './mounted-frames.js';
import type { StorageItem } from './storage-tree.js';

const program = fileURLToPath(new URL('mounted-process.js', import.meta.url));

export interface ReadingLimits {
  /** For a read without data. */
  readonly timeoutMs: number;
  /** Aborts with the reason to throw. */
  readonly signal: AbortSignal;
}

/** Disposing kills the process. */
export class MountedReader implements AsyncDisposable {
  readonly #path: string;
  readonly #limits: ReadingLimits;
  readonly #process: ChildProcess;
  readonly #source: ByteSource;

  /** Starts the process; `look` must be called first. */
  constructor(path: string, limits: ReadingLimits) {
    this.#path = path;
    this.#limits = limits;
    // Detached, so that a terminal's signals reach only the job; no environment, so no secret in it. `ipc` is what fork
    // requires.
    const options = { env: {}, execArgv: [], detached: true };
    this.#process = fork(program, [], { ...options, stdio: ['pipe', 'pipe', 'ignore', 'ipc'] });
    // Its end is noticed by reading.
    this.#process.on('error', () => undefined);
    this.#process.stdin?.on('error', () => undefined);
    this.#process.stdin?.write(encodeFrame(path));
    this.#source = new ByteSource(this.#chunks());
  }

  /** What is at the path. Throws a JobError with exit code 2 or 5, or the signal's reason. */
  async look(): Promise<{ readonly isDirectory: boolean; readonly hasRegistry: boolean }> {
    const frame = await this.#frame();
    if (frame.kind !== 'root') throw errorOf(frame);
    return frame;
  }

  /** Everything in it; called once, after `look`. Throws a JobError with exit code 2 or 5, or the signal's reason. */
  async *items(): AsyncGenerator<StorageItem, void, undefined> {
    this.#answer(answers.send);
    for (let frame = await this.#frame(); frame.kind !== 'end'; frame = await this.#frame()) {
      if (frame.kind === 'vanished' || frame.kind === 'leftOut') yield frame;
      else if (frame.kind === 'entry') yield* this.#entry(frame);
      else throw errorOf(frame);
    }
  }

  /** Does not wait for its end: a dead disk can keep a process from ending. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    this.#process.stdout?.destroy();
    if (this.#process.connected) this.#process.disconnect();
    return Promise.resolve();
  }

  async *#entry(frame: Extract<MountedFrame, { kind: 'entry' }>): AsyncGenerator<StorageItem, void, undefined> {
    const { entry, hasOtherNames, isAsked } = frame;
    const reading: { isBegun: boolean; change: string | undefined } = { isBegun: false, change: undefined };
    const body = async function* (this: MountedReader): AsyncGenerator<Buffer, void, undefined> {
      if (entry.type !== 'file') return;
      reading.isBegun = true;
      if (isAsked) this.#answer(answers.send);
      yield* this.#pieces(entry.bytes);
      reading.change = await this.#afterFile();
    }.bind(this);
    const preview = async function* (this: MountedReader): AsyncGenerator<Buffer, void, undefined> {
      this.#answer(answers.preview);
      yield* this.#pieces(entry.bytes);
    }.bind(this);
    const changes = (): string | undefined => reading.change;
    yield { kind: 'entry', entry, hasOtherNames, body: body(), changes, ...(isAsked && { preview: preview() }) };
    if (entry.type !== 'file' || reading.isBegun) return;
    if (isAsked) this.#answer(answers.skip);
    else {
      await this.#fill(entry.bytes);
      this.#source.advance(entry.bytes);
    }
    await this.#afterFile();
  }

  async *#pieces(bytes: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = bytes; left > 0;) {
      await this.#fill(1);
      const piece = this.#source.take(Math.min(left, this.#source.available));
      left -= piece.length;
      yield piece;
    }
  }

  async #afterFile(): Promise<string | undefined> {
    const frame = await this.#frame();
    if (frame.kind !== 'afterFile') throw errorOf(frame);
    return frame.change;
  }

  async #frame(): Promise<MountedFrame> {
    await this.#fill(lengthBytes);
    const length = this.#source.use(lengthBytes).readUInt32BE();
    await this.#fill(length);
    return JSON.parse(this.#source.use(length).toString('utf8')) as MountedFrame;
  }

  async #fill(bytes: number): Promise<void> {
    if (this.#source.available >= bytes || (await this.#source.fill(bytes))) return;
    const { exitCode, signalCode } = this.#process;
    const how = signalCode ?? (exitCode === null ? 'its output ended' : `exit code ${exitCode}`);
    throw new JobError(ExitCode.replica, `cannot read ${this.#path}: the process that reads it ended (${how})`);
  }

  #answer(byte: number): void {
    this.#process.stdin?.write(Buffer.of(byte));
  }

  async *#chunks(): AsyncGenerator<Buffer, void, undefined> {
    const { timeoutMs, signal } = this.#limits;
    const { stdout } = this.#process;
    if (stdout === null) return;
    const pieces = (stdout as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    const onTimeout = (): JobError => {
      const what = `the storage at ${this.#path} gave no data within ${timeoutMs / 1000} s`;
      return new JobError(ExitCode.replica, `${what}: does its disk or NFS server respond? (--read-timeout)`);
    };
    for (;;) {
      const next = await withTimeout(pieces.next(), timeoutMs, onTimeout, signal);
      if (next.done === true) return;
      yield next.value;
    }
  }
}

function errorOf(frame: MountedFrame): Error {
  if (frame.kind !== 'failed') return new Error(`unexpected ${frame.kind} of the process that reads the storage`);
  if (frame.exitCode === ExitCode.bug) return new Error(frame.message);
  return new JobError(frame.exitCode, frame.message);
}
