/** The program: runs one command, and turns whatever comes of it into an exit code. */
import { errorText, JobError, UsageError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { createLog, type Log } from '../base/log.js';
import { printableLines } from '../base/printable.js';
import { readSettings } from '../config/reader.js';
import { globalSettings } from '../config/settings.js';
import { parseCall } from './call.js';
import { commands } from './commands.js';
import type { Surroundings } from './surroundings.js';

/**
 * Runs one call of the program. Never throws; a bug is logged with its stack and gives exit code 1. What is printed is
 * made printable, as what is logged: reports hold names out of archives. In JSON it stays the same text.
 */
export async function runProgram(process: Surroundings): Promise<ExitCode> {
  const surroundings = { ...process, print: (text: string) => process.print(printableLines(text)) };
  let log = createLog({ ...surroundings, ...surroundings.stderr, format: 'text', debug: false });
  surroundings.onWarning((warning) => log.debug(`Node warns: ${warning}`));
  try {
    const call = await parseCall(surroundings, commands);
    if ('text' in call) {
      await surroundings.print(`${call.text}\n`);
      return ExitCode.done;
    }
    const { values, faults } = readSettings(globalSettings, { ...surroundings, flags: call.flags });
    if (faults.length === 0) {
      log = createLog({ ...surroundings, ...surroundings.stderr, format: values.logFormat, debug: values.debug });
    }
    const { clock, signal, hostName } = surroundings;
    const readFile = (path: string): Promise<string> => Promise.resolve(path).then(surroundings.readFile);
    const world = { log, clock, signal, hostName, readFile };
    await call.command.run({ ...call, surroundings, faults: [...call.faults, ...faults], world });
    return ExitCode.done;
  } catch (error) {
    return report(error, log);
  }
}

function report(error: unknown, log: Log): ExitCode {
  if (error instanceof UsageError) {
    for (const fault of error.faults) log.fatal(fault);
    log.info('See --help, or --help-extended for every setting with its environment variable');
    return error.exitCode;
  }
  if (error instanceof JobError) {
    log.fatal(error.message);
    return error.exitCode;
  }
  log.fatal(`This is a bug: ${errorText(error)}`, error instanceof Error ? error.stack : undefined);
  return ExitCode.bug;
}
