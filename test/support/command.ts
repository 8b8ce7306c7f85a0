/** A command run as a child process: what it wrote, how it ended, and the ways to wait for either. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Where stdout goes: a file descriptor, or (left out) a pipe. */
  readonly stdout?: number;
  /** All of it, or a pipe that stays open for `child.stdin`. */
  readonly stdin?: Buffer | 'open' | undefined;
}

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export class Command {
  readonly child: ChildProcess;
  #stderr = '';
  #peakMemoryKb = 0;
  readonly #exited: Promise<unknown[]>;

  /** The environment is only what `env` says, and the PATH: settings of the machine must not leak in. */
  constructor(command: readonly string[], { env = {}, cwd, stdout, stdin }: CommandOptions = {}) {
    const [executable = '', ...args] = command;
    this.child = spawn(executable, args, {
      env: { PATH: process.env.PATH, ...env },
      cwd,
      stdio: [stdin === undefined ? 'ignore' : 'pipe', stdout ?? 'pipe', 'pipe'],
    });
    // A program that refuses its input closes the pipe before it is empty.
    this.child.stdin?.on('error', () => undefined);
    if (stdin !== 'open') this.child.stdin?.end(stdin);
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#exited = once(this.child, 'close');
  }

  get stderr(): string {
    return this.#stderr;
  }

  get stdout(): Readable {
    if (this.child.stdout === null) throw new Error('stdout is not a pipe');
    return this.child.stdout;
  }

  /** The most memory seen so far (VmHWM), where /proc tells. */
  get peakMemoryBytes(): number {
    return this.#peakMemoryKb * 1024;
  }

  /** Reads stdout to its end and waits for the process to end. */
  async ended(): Promise<Ended> {
    const chunks: Buffer[] = [];
    if (this.child.stdout !== null) {
      for await (const chunk of this.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
    }
    await this.#exited;
    return { exitCode: this.child.exitCode, stdout: Buffer.concat(chunks), stderr: this.#stderr };
  }

  get #hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Waits for the process to end, whoever reads its stdout. */
  async exitCode(): Promise<number | null> {
    await this.#exited;
    return this.child.exitCode;
  }

  /** Reads stdout to its end and throws it away, watching memory; gives the number of bytes. */
  async drained(): Promise<number> {
    let bytes = 0;
    for await (const chunk of this.stdout as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      this.#watchMemory();
    }
    await this.#exited;
    return bytes;
  }

  /** Resolves when stderr has a line that matches; rejects when the program ends without one. */
  async waitForLog(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#stderr)) {
      if (this.#hasEnded) {
        throw new Error(`ended without ${String(pattern)}:\n${this.#stderr}`);
      }
      if (this.child.stderr === null) throw new Error('stderr is not a pipe');
      await Promise.race([once(this.child.stderr, 'data'), this.#exited]);
    }
  }

  /** Reads `bytes` of stdout and then stops reading: the program soon stands still with its pipe full. */
  async readThenStall(bytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let read = 0;
    while (read < bytes) {
      const chunk = this.stdout.read() as Buffer | null;
      if (chunk === null) await Promise.race([once(this.stdout, 'readable'), this.#exited]);
      else chunks.push(chunk);
      read += chunk?.length ?? 0;
      if (chunk === null && this.#hasEnded) throw new Error(`ended early:\n${this.#stderr}`);
    }
    return Buffer.concat(chunks);
  }

  #watchMemory(): void {
    const status = readFileSync(`/proc/${this.child.pid ?? 0}/status`, 'utf8');
    this.#peakMemoryKb = Math.max(this.#peakMemoryKb, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
  }
}
