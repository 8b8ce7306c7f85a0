#!/usr/bin/env node
/** The process: arguments, environment, stdio, signals, exit code. Nothing else in src touches `process`. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isatty } from 'node:tty';
import { systemClock } from './base/clock.js';
import { JobError } from './base/errors.js';
import { ExitCode } from './base/exit-codes.js';
import { runProgram } from './cli/program.js';

// On Linux stderr is written synchronously, so no line is lost at the end; a closed one is no reason to stop a backup.
process.stderr.on('error', () => undefined);
// A failed write is dealt with in its callback; the event that follows it must not end the process.
process.stdout.on('error', () => undefined);

const controller = new AbortController();
const stopOn = (signal: NodeJS.Signals, exitCode: ExitCode, word: string): void => {
  // Once: a second signal finds no handler and ends a process whose clean-up hangs.
  process.once(signal, () => {
    controller.abort(new JobError(exitCode, `${word} by ${signal}: the work is not complete`));
  });
};
stopOn('SIGINT', ExitCode.interrupted, 'interrupted');
stopOn('SIGTERM', ExitCode.terminated, 'terminated');
stopOn('SIGHUP', ExitCode.terminated, 'terminated');

const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  name: string;
  version: string;
};

const exitCode = await runProgram({
  argv: process.argv.slice(2),
  env: process.env,
  dotenv: readDotenv(),
  readFile: (path) => readFileSync(path),
  stdin: { open: () => process.stdin, isTerminal: isatty(0) },
  stdout: { stream: process.stdout, fd: 1, isTerminal: process.stdout.isTTY },
  print: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
  stderr: { write: (text) => void process.stderr.write(text), isTerminal: process.stderr.isTTY },
  signal: controller.signal,
  clock: systemClock,
  hostName: hostname(),
  tool: { name, version },
});

// Everything that had to be written has been taken by the operating system by now, so nothing is cut off here; what a
// failed run left open (a stalled stdout, a socket) must not keep the process alive.
process.exit(exitCode);

function readDotenv(): string | undefined {
  try {
    return readFileSync('.env', 'utf8');
  } catch {
    return undefined;
  }
}
