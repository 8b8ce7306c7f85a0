/** Runs the built program as a child process, as operators do. */
import { fileURLToPath } from 'node:url';
import { Command, type CommandOptions, type Ended } from './command.js';

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

export interface ProgramOptions extends CommandOptions {
  /** A command that runs the program in its turn (`exec`), given before it. */
  readonly wrapper?: readonly string[];
}

export class Program extends Command {
  constructor(args: readonly string[], { wrapper = [], ...options }: ProgramOptions = {}) {
    super([...wrapper, process.execPath, main, ...args], options);
  }
}

export async function runProgram(args: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  return new Program(args, options).ended();
}

/** Starts a backup and stops reading its stdout in mid-table; does `harm`; then reads on to the end. */
export async function harmInMidTable(flags: readonly string[], harm: (program: Program) => unknown): Promise<Ended> {
  const program = new Program(flags);
  const start = await program.readThenStall(2_000_000);
  await harm(program);
  const ended = await program.ended();
  return { ...ended, stdout: Buffer.concat([start, ended.stdout]) };
}
