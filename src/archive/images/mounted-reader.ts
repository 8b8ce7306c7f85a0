/**
 * Reads a storage that is mounted here through a process of its own: a disk that does not answer (NFS, a dead device)
 * cannot be given up by the thread that waits for it, and Node waits for its threads when it ends. A process can be left
 * alone with it.
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
  /** How long the storage may give nothing. */
  readonly timeoutMs: number;
  /** Aborts with the reason to throw. */
  readonly signal: AbortSignal;
}

/** Disposing ends the process, whatever it does. */
export class MountedReader implements AsyncDisposable {
  readonly #path: string;
  readonly #limits: ReadingLimits;
  readonly #process: ChildProcess;
  readonly #source: ByteSource;

  /** The process is only started here; `look` is the first thing to ask of it. */
  constructor(path: string, limits: ReadingLimits) {
    this.#path = path;
    this.#limits = limits;
    // A group of its own: what a terminal sends to all of the job's is for the job to answer. It needs no environment,
    // and no secret that is in there. `ipc` is what fork requires; nothing is sent over it.
    const stdio = ['pipe', 'pipe', 'ignore', 'ipc'] as const;
    this.#process = fork(program, [], { stdio: [...stdio], env: {}, execArgv: [], detached: true });
    this.#process.on('error', () => undefined);
    // Its end is seen where it is read.
    this.#process.stdin?.on('error', () => undefined);
    this.#process.stdin?.write(encodeFrame(path));
    this.#source = new ByteSource(this.#chunks());
  }

  /** What is at the path. Throws a JobError with exit code 2 or 5, or the signal's reason. */
  async look(): Promise<{ readonly isDirectory: boolean; readonly hasRegistry: boolean }> {
    const frame = await this.#frame();
    if (frame.kind !== 'root') throw unexpected(frame);
    return frame;
  }

  /** Everything in it, once; called once, after `look`. Throws a JobError with exit code 2 or 5, or the signal's reason. */
  async *items(): AsyncGenerator<StorageItem, void, undefined> {
    this.#answer(answers.send);
    for (let frame = await this.#frame(); frame.kind !== 'end'; frame = await this.#frame()) {
      if (frame.kind === 'vanished' || frame.kind === 'leftOut') yield frame;
      else if (frame.kind === 'entry') yield* this.#entry(frame);
      else throw unexpected(frame);
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
    if (entry.type !== 'file') {
      yield { kind: 'entry', entry, hasOtherNames, body: this.#body(0), changes: () => undefined };
      return;
    }
    const reading: { isBegun: boolean; what?: string | undefined } = { isBegun: false };
    const body = async function* (this: MountedReader): AsyncGenerator<Buffer, void, undefined> {
      reading.isBegun = true;
      if (isAsked) this.#answer(answers.send);
      yield* this.#body(entry.bytes);
      reading.what = await this.#afterFile();
    }.bind(this);
    yield { kind: 'entry', entry, hasOtherNames, body: body(), changes: () => reading.what };
    if (reading.isBegun) return;
    if (isAsked) this.#answer(answers.pass);
    else {
      await this.#fill(entry.bytes);
      this.#source.advance(entry.bytes);
    }
    await this.#afterFile();
  }

  async *#body(bytes: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = bytes; left > 0;) {
      if (this.#source.available === 0) await this.#fill(1);
      const piece = this.#source.take(Math.min(left, this.#source.available));
      left -= piece.length;
      yield piece;
    }
  }

  async #afterFile(): Promise<string | undefined> {
    const frame = await this.#frame();
    if (frame.kind !== 'afterFile') throw unexpected(frame);
    return frame.what;
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
      const what = `the storage at ${this.#path} gave nothing within ${timeoutMs / 1000} s`;
      return new JobError(ExitCode.replica, `${what}: is its disk or its NFS server there? (--read-timeout)`);
    };
    for (;;) {
      const next = await withTimeout(pieces.next(), timeoutMs, onTimeout, signal);
      if (next.done === true) return;
      yield next.value;
    }
  }
}

function unexpected(frame: MountedFrame): Error {
  if (frame.kind !== 'failed') return new Error(`unexpected ${frame.kind} of the process that reads the storage`);
  if (frame.exitCode === ExitCode.bug) return new Error(frame.message);
  return new JobError(frame.exitCode, frame.message);
}
