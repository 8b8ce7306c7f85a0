#!/usr/bin/env node
/** The process: arguments, environment, stdio, signals, exit code. Nothing else in src touches `process`. */
import { readFileSync, writeSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from './base/clock.js';
import { JobError } from './base/errors.js';
import { ExitCode } from './base/exit-codes.js';
import type { ProcessEvents } from './cli/process-context.js';

// Until the program gives its own: a process that ends without it has not done its work.
process.exitCode = ExitCode.bug;

// A closed stderr is no reason to stop a backup.
process.stderr.on('error', () => undefined);

const controller = new AbortController();
const stopOn = (signal: NodeJS.Signals, exitCode: ExitCode, word: string): void => {
  // Once: a second one finds no handler and ends a process whose clean-up hangs.
  process.once(signal, () => {
    controller.abort(new JobError(exitCode, `${word} by ${signal}: the work is not complete`));
  });
};
stopOn('SIGINT', ExitCode.interrupted, 'interrupted');
stopOn('SIGTERM', ExitCode.terminated, 'terminated');
stopOn('SIGHUP', ExitCode.terminated, 'terminated');

// Node would print its warnings on stderr, which belongs to the log.
const early: Error[] = [];
let events: ProcessEvents | undefined;
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (events === undefined) early.push(warning);
  else events.warning(warning);
});

// Before there is a log. Thrown on from here, it would end the process with Node's code 7, which means something else.
const exitEarly = (error: unknown): never => {
  try {
    writeSync(2, `This is a bug: ${error instanceof Error ? error.stack : String(error)}\n`);
  } catch {
    // A closed or full stderr; the exit code says it.
  }
  process.exit(ExitCode.bug);
};

// The last resort: what nobody caught ends the work as a signal does, so that every clean-up runs, and then the process.
let hasCrashed = false as boolean;
const crash = (error: unknown): void => {
  if (events === undefined) return exitEarly(error);
  hasCrashed = true;
  events.uncaught(error);
  controller.abort(error);
};
process.on('uncaughtException', crash);
process.on('beforeExit', () => {
  // Nothing is left that could ever settle what the program waits for; once more, and its clean-up hangs as well.
  if (!hasCrashed) crash(new Error('nothing is left to wait for, and the work is not done'));
  else process.exit(ExitCode.bug);
});

// Loaded only now, so that nothing it loads can warn or throw unheard.
const { runProgram } = await import('./cli/program.js');
const { standardInput } = await import('./store/standard-input.js');
const { standardOutput } = await import('./store/standard-output.js');

const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  name: string;
  version: string;
};

// Flags may hold secrets, and whoever may see the process could read them for as long as it runs.
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
    early.forEach(observer.warning);
  },
  signal: controller.signal,
  clock: systemClock,
  hostName: hostname(),
  temporaryDirectory: tmpdir(),
  tool: { name, version },
});

// A full pipe takes the last lines when its reader comes to it; one that never does must not keep the process alive.
await Promise.race([new Promise((resolve) => process.stderr.write('', resolve)), sleep(5000)]);

// Everything that had to be written has been taken by the operating system by now, so nothing is cut off here; what a
// failed run left open (a stalled stdout, a socket) must not keep the process alive. Node waits for its threads all the
// same, and so for file I/O that the kernel holds (a hung mount): only a further signal ends that.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal);
process.exit(hasCrashed ? ExitCode.bug : exitCode);

function readDotenv(): string | undefined {
  try {
    return readFileSync('.env', 'utf8');
  } catch {
    return undefined;
  }
}
