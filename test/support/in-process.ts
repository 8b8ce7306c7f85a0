/**
 * Runs the program in this process: its files, sockets and servers are real, and only what main.ts would take from the
 * process is handed to it. One place says what that is, for all tests.
 */
import { readFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '#src/base/clock.js';
import { runProgram } from '#src/cli/program.js';
import type { Stdout } from '#src/store/standard-output.js';
import type { Ended } from './command.js';

export interface InProcessOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: Buffer | undefined;
  /** Files that the program finds besides those of this machine, by path. */
  readonly files?: ReadonlyMap<string, string>;
  /** That of this machine when left out. */
  readonly hostName?: string | undefined;
  /** Once stdout has taken so many bytes it takes no more until this has been done: a reader who stands still. */
  readonly stall?: Stall;
}

export interface Stall {
  readonly afterBytes: number;
  readonly meanwhile: () => unknown;
}

const pipeBytes = 64 * 1024;
const packageFile = new URL('../../../package.json', import.meta.url);
const { name, version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { name: string; version: string };

/** The program gets no other environment than `env`, no `.env`, and never a terminal. */
export async function runInProcess(
  args: readonly string[],
  { env = {}, stdin = Buffer.alloc(0), files = new Map(), hostName = hostname(), stall }: InProcessOptions = {},
): Promise<Ended> {
  const stdout = collectStdout(stall);
  let stderr = '';
  const exitCode = await runProgram({
    argv: [...args],
    env: { PATH: process.env.PATH, ...env },
    dotenv: undefined,
    readFile: (path) => Buffer.from(files.get(path) ?? readFileSync(path)),
    stdin: { open: () => Readable.from(chunksOf(stdin), { objectMode: false }) },
    stdout,
    stderr: { write: (text) => void (stderr += text), isTerminal: false },
    signal: new AbortController().signal,
    clock: systemClock,
    hostName,
    temporaryDirectory: env.TMPDIR ?? tmpdir(),
    tool: { name, version },
  });
  return { exitCode, stdout: stdout.bytes(), stderr };
}

interface CollectedStdout extends Stdout {
  readonly bytes: () => Buffer;
}

/** A stdout kept in memory that takes a write only in a later turn of the event loop, as a pipe with a slow reader does. */
function collectStdout(stall?: Stall): CollectedStdout {
  const chunks: Buffer[] = [];
  let untilStall = stall?.afterBytes ?? Infinity;
  return {
    open: () => ({
      async write(bytes) {
        // A copy: who wrote it may use the chunk again as soon as it has been taken.
        chunks.push(Buffer.from(bytes));
        const isBefore = untilStall > 0;
        untilStall -= bytes.length;
        if (isBefore && untilStall <= 0) await stall?.meanwhile();
        await setImmediate();
      },
      commit: () => Promise.resolve(),
    }),
    bytes: () => Buffer.concat(chunks),
  };
}

/** As a pipe gives them. */
function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += pipeBytes) yield bytes.subarray(start, start + pipeBytes);
}
