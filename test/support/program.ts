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
