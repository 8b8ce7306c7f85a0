/** Runs the built program: in this process, or as a child process where the process itself is the matter. */
import { fileURLToPath } from 'node:url';
import { Command, type CommandOptions, type Ended } from './command.js';
import { runInProcess, type InProcessOptions } from './in-process.js';

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

/** A snapshot waits for a pause in the changes at its end: a second, where nothing else is said. */
const testSettings = { DTR_SETTLE_TIME: '0.2' };

export interface ProgramOptions extends CommandOptions {
  /** A command that runs the program in its turn (`exec`), given before it. */
  readonly wrapper?: readonly string[];
}

/** A child process: for signals, exits, stdio, memory and start-up. */
export class Program extends Command {
  constructor(args: readonly string[], { wrapper = [], ...options }: ProgramOptions = {}) {
    super([...wrapper, process.execPath, main, ...args], { ...options, env: { ...testSettings, ...options.env } });
  }
}

/**
 * Runs the program to its end: in this process, which is much the faster, unless an option is about the process itself
 * (its directory, a descriptor, an open pipe, what Node takes from the environment).
 */
export async function runProgram(args: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  const { wrapper, cwd, stdout, stdin, env = {} } = options;
  const isOfProcess = [wrapper, cwd, stdout, env.TMPDIR].some((option) => option !== undefined);
  if (isOfProcess || stdin === 'open') return new Program(args, options).ended();
  return runInProcess(args, { env: { ...testSettings, ...env }, stdin });
}

/** Runs a backup in this process; `act` is done while nobody reads its stdout, in mid-table. */
export async function meanwhileInMidTable(flags: readonly string[], act: () => unknown): Promise<Ended> {
  const stall: InProcessOptions['stall'] = { afterBytes: 300_000, meanwhile: act };
  return runInProcess(flags, { env: testSettings, stall });
}

/** Starts a backup and stops reading its stdout in mid-table; does `harm`; then reads on to the end. */
export async function harmInMidTable(flags: readonly string[], harm: (program: Program) => unknown): Promise<Ended> {
  const program = new Program(flags);
  const start = await program.readThenStall(2_000_000);
  await harm(program);
  const ended = await program.ended();
  return { ...ended, stdout: Buffer.concat([start, ended.stdout]) };
}
