/** The program: runs one command, and turns whatever comes of it into an exit code. */
import { setMaxListeners } from 'node:events';
import { JobError, UsageError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { createLog, type Log } from '../base/log.js';
import { readSettings } from '../config/reader.js';
import { globalSettings } from '../config/settings.js';
import { parseCall } from './call.js';
import { commands } from './commands.js';
import type { Surroundings } from './surroundings.js';

/** Runs one call of the program. Never throws; a bug is logged with its stack and gives exit code 1. */
export async function runProgram(surroundings: Surroundings): Promise<ExitCode> {
  // Every open feed listens to it, and there are as many as tables: Node would warn of a leak on stderr.
  setMaxListeners(0, surroundings.signal);
  let log = createLog({ ...surroundings, ...surroundings.stderr, format: 'text', debug: false });
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
    const readFile = async (path: string): Promise<string> => {
      return (await Promise.resolve(path).then(surroundings.readFile)).toString('utf8');
    };
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
  log.fatal(`This is a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return ExitCode.bug;
}
