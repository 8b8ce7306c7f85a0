#!/usr/bin/env node
/** The process: arguments, environment, stdio, signals, exit code. Nothing else in src touches `process`. */
import { readFileSync, writeSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from './base/clock.js';
import { JobError } from './base/errors.js';
import { ExitCode } from './base/exit-codes.js';
import type { ProcessEvents } from './cli/process-context.js';

// Until the program gives its own: a process that ends early has not done its work.
process.exitCode = ExitCode.bug;

// A closed stderr is no reason to stop a backup.
process.stderr.on('error', () => undefined);

const controller = new AbortController();
const stopSignals = { SIGINT: ExitCode.interrupted, SIGTERM: ExitCode.terminated, SIGHUP: ExitCode.terminated };
for (const [signal, exitCode] of Object.entries(stopSignals)) {
  const word = exitCode === ExitCode.interrupted ? 'interrupted' : 'terminated';
  // Once: a second signal finds no handler, and ends a process whose clean-up hangs.
  process.once(signal, () =>
    controller.abort(new JobError(exitCode, `${word} by ${signal}: the work is not complete`)),
  );
}

// Node would print its warnings on stderr, which belongs to the log.
const earlyWarnings: Error[] = [];
let events: ProcessEvents | undefined;
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (events === undefined) earlyWarnings.push(warning);
  else events.warning(warning);
});

/** Before there is a log. Rethrown in the handler, the error would end the process with Node's code 7. */
function exitEarly(error: unknown): never {
  try {
    writeSync(2, `This is a bug: ${error instanceof Error ? error.stack : String(error)}\n`);
  } catch {
    // stderr is closed or full; the exit code remains.
  }
  process.exit(ExitCode.bug);
}

// An uncaught exception aborts the work as a signal does, so that every clean-up runs, and ends the process after it.
let hasCrashed = false as boolean;
const crash = (error: unknown): void => {
  if (events === undefined) return exitEarly(error);
  hasCrashed = true;
  events.uncaught(error);
  controller.abort(error);
};
process.on('uncaughtException', crash);
process.on('beforeExit', () => {
  // Nothing can settle any more what the program awaits; the second time, what its clean-up awaits.
  if (hasCrashed) process.exit(ExitCode.bug);
  crash(new Error('nothing is left to wait for, and the work is not done'));
});

// Loaded only now, after the handlers for what they may warn of or throw.
const { runProgram } = await import('./cli/program.js');
const { standardInput } = await import('./store/standard-input.js');
const { standardOutput } = await import('./store/standard-output.js');

const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  name: string;
  version: string;
};

// Flags may hold secrets, and process lists show them as long as the process runs.
process.title = name;

const exitCode = await runProgram({
  argv: process.argv.slice(2),
  env: process.env,
  dotenv: readDotenv(),
  readFile: (path) => readFileSync(path),
  stdin: standardInput(0, () => process.stdin),
  stdout: standardOutput({ fd: 1, stderrFd: 2, stream: () => process.stdout }),
  stderr: { write: (text) => void process.stderr.write(text), isTerminal: process.stderr.isTTY },
  observe: (observer) => {
    events = observer;
    earlyWarnings.forEach(observer.warning);
  },
  signal: controller.signal,
  clock: systemClock,
  hostName: hostname(),
  temporaryDirectory: tmpdir(),
  tool: { name, version },
});

// The last lines of the log, as far as the reader of a full pipe takes them in time.
await Promise.race([new Promise((resolve) => process.stderr.write('', resolve)), sleep(5000)]);

// The operating system has taken everything that had to be written; what a failed run left open (a stalled stdout, a
// socket) must not keep the process alive. Node still waits for its threads, and so for file I/O that the kernel holds
// (a hung mount): a further signal, without a handler now, ends that.
for (const signal of Object.keys(stopSignals)) process.removeAllListeners(signal);
process.exit(hasCrashed ? ExitCode.bug : exitCode);

function readDotenv(): string | undefined {
  try {
    return readFileSync('.env', 'utf8');
  } catch {
    return undefined;
  }
}
