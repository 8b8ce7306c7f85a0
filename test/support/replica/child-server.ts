/**
 * One server process of the tests: started, waited for, stopped, killed, frozen. It dies with the test process, however
 * that ends, because a watchdog holds the other end of a pipe.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { withTimeout } from '#src/base/deadline.js';

export interface ChildCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Removed by the watchdog when the test process dies first. */
  readonly directory: string;
  readonly startTimeoutMs: number;
  /** Whether the lines printed so far say that the server answers. */
  readonly isReady: (lines: readonly string[]) => boolean;
}

const stopTimeoutMs = 15_000;

export class ChildServer {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  /** Everything printed on stdout and stderr so far. */
  readonly lines: string[] = [];

  private constructor(command: ChildCommand) {
    this.#process = spawn(command.command, command.args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#exited = once(this.#process, 'exit');
  }

  /** Resolves when the server answers; rejects, with what it printed, when it ends or is late. */
  static async start(command: ChildCommand): Promise<ChildServer> {
    const server = new ChildServer(command);
    const { promise: ready, resolve } = withResolvers();
    server.#readLines(() => {
      if (command.isReady(server.lines)) resolve();
    });
    const gone = server.#exited.then(() => {
      throw server.#failure(`${command.command} ended before it answered`);
    });
    gone.catch(() => undefined);
    const late = (): Error => server.#failure(`${command.command} did not answer in ${command.startTimeoutMs} ms`);
    try {
      await withTimeout(Promise.race([ready, gone]), command.startTimeoutMs, late);
      server.#watch(command.directory);
    } catch (error) {
      await server.kill();
      throw error;
    }
    return server;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** SIGTERM, and SIGKILL when that is not heard. */
  async stop(): Promise<void> {
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    try {
      await withTimeout(this.#exited, stopTimeoutMs, () => new Error('not heard'));
    } catch {
      await this.kill();
    }
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    if (this.running) await this.#exited;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#process.kill(signal);
  }

  #failure(message: string): Error {
    return new Error(`${message}:\n${this.lines.slice(-20).join('\n')}`);
  }

  #readLines(onLine: () => void): void {
    const { stdout, stderr } = this.#process;
    if (stdout === null || stderr === null) throw new Error('no pipes');
    // A command that cannot be started has an 'error' instead of an 'exit', which `once` turns into a rejection.
    this.#exited.catch(() => undefined);
    for (const input of [stdout, stderr]) {
      createInterface({ input }).on('line', (line) => {
        this.lines.push(line);
        onLine();
      });
    }
  }

  /** `read` ends when our end of the pipe closes, also by SIGKILL. A frozen server dies of it too. */
  #watch(directory: string): void {
    const script = 'read -r _; kill -9 "$1" 2>/dev/null; rm -rf "$2"';
    const watchdog = spawn('/bin/sh', ['-c', script, 'sh', String(this.pid), directory], {
      stdio: ['pipe', 'ignore', 'ignore'],
      // Out of the terminal's reach: Ctrl-C must not end it before us.
      detached: true,
    });
    watchdog.on('error', () => undefined);
    watchdog.stdin.on('error', () => undefined);
    void this.#exited.finally(() => watchdog.kill('SIGKILL')).catch(() => undefined);
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
