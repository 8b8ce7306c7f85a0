/**
 * Runs the program in this process: its files, sockets and servers are real, and only what main.ts would take from the
 * process is handed to it. One place says what that is, for all tests.
 */
import { openSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Readable, Writable } from 'node:stream';
import { systemClock } from '#src/base/clock.js';
import { runProgram } from '#src/cli/program.js';
import type { Surroundings } from '#src/cli/surroundings.js';
import type { Ended } from './command.js';

export interface InProcessOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: Buffer | undefined;
}

const pipeBytes = 64 * 1024;
const packageFile = new URL('../../../package.json', import.meta.url);
const { name, version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { name: string; version: string };

/** The program gets no other environment than `env`, no `.env`, and never a terminal. */
export async function runInProcess(
  args: readonly string[],
  { env = {}, stdin = Buffer.alloc(0) }: InProcessOptions = {},
): Promise<Ended> {
  const stdout = collectStdout();
  let stderr = '';
  const exitCode = await runProgram({
    argv: [...args],
    env: { PATH: process.env.PATH, ...env },
    dotenv: undefined,
    readFile: (path) => readFileSync(path),
    stdin: { open: () => Readable.from(chunksOf(stdin), { objectMode: false }), isTerminal: false },
    ...stdout.surroundings,
    stderr: { write: (text) => void (stderr += text), isTerminal: false },
    signal: new AbortController().signal,
    clock: systemClock,
    hostName: hostname(),
    tool: { name, version },
  });
  return { exitCode, stdout: stdout.bytes(), stderr };
}

interface CollectedStdout {
  readonly surroundings: Pick<Surroundings, 'stdout' | 'print'>;
  readonly bytes: () => Buffer;
}

/** A stdout kept in memory that takes a write only in a later turn of the event loop, as a pipe with a slow reader does. */
function collectStdout(): CollectedStdout {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    highWaterMark: pipeBytes,
    write(chunk: Buffer, _encoding, done) {
      // A copy: who wrote it may use the chunk again as soon as it has been taken.
      chunks.push(Buffer.from(chunk));
      setImmediate(done);
    },
  });
  return {
    surroundings: {
      stdout: { stream, fd: nowhere(), isTerminal: false },
      print: (text) => new Promise((resolve) => stream.write(text, () => resolve())),
    },
    bytes: () => Buffer.concat(chunks),
  };
}

let nowhereFd: number | undefined;

/** A descriptor that stands for the pipe: it is asked what kind of file it is, never written to. */
function nowhere(): number {
  return (nowhereFd ??= openSync('/dev/null', 'w'));
}

/** As a pipe gives them. */
function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += pipeBytes) yield bytes.subarray(start, start + pipeBytes);
}
