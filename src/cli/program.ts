/** The program: runs one command, and turns its outcome into an exit code. */
import { errorText, failuresOf, JobError, UsageError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { createLog, type Log } from '../base/log.js';
import type { RunEnd } from '../monitors/ping.js';
import { RunMonitor } from '../monitors/run-monitor.js';
import { readSettings } from '../settings/reader.js';
import { globalSettings } from '../settings/settings.js';
import { print } from '../store/standard-output.js';
import { parseCall, parseGlobalFlags } from './call.js';
import { commands } from './commands.js';
import type { ProcessContext } from './process-context.js';

/**
 * Runs one command line. Never throws: a bug is logged with its stack and gives exit code 1, and so does an uncaught
 * exception, whatever else came of the run.
 */
export async function runProgram(processContext: ProcessContext): Promise<ExitCode> {
  let opened: Awaited<ReturnType<typeof openLog>>;
  try {
    opened = await openLog(processContext);
  } catch (error) {
    const log = createLog({ ...processContext, ...processContext.stderr, format: 'text', debug: false });
    return reportBug(error, log).exitCode;
  }
  const { log } = opened;
  const uncaught: unknown[] = [];
  processContext.observe?.({
    warning: ({ name, message }) => log.debug(`Node warns: ${name}: ${message}`),
    uncaught: (error) => {
      if (uncaught.length === 0) log.error(`A bug ends this run after its clean-up: ${errorText(error)}`);
      uncaught.push(error);
    },
  });
  const monitor = new RunMonitor({ ...processContext, log });
  let outcome: RunEnd;
  try {
    await runCall(processContext, opened, monitor);
    outcome = { exitCode: ExitCode.done, errors: [] };
  } catch (error) {
    const [first, ...inCleanUp] = failuresOf(error);
    for (const failure of inCleanUp) {
      if (!uncaught.includes(failure)) log.warn(`The clean-up failed as well: ${errorText(failure)}`);
    }
    // The uncaught ones are reported below.
    outcome = uncaught.includes(first) ? failed(ExitCode.bug) : report(first, log);
  }
  for (const error of uncaught) outcome = reportBug(error, log);
  await monitor.ended(outcome);
  return outcome.exitCode;
}

async function runCall(
  processContext: ProcessContext,
  { log, faults, isHelpForced }: Opened,
  monitor: RunMonitor,
): Promise<void> {
  const call = await parseCall(processContext, commands, isHelpForced);
  if (call.kind === 'text') {
    await print(processContext.stdout, `${call.text}\n`);
    // Exit code 0 would mean that the command has done its work.
    if (!call.isAsked)
      throw new UsageError(['DTR_EXTENDED_HELP (MSR_EXTENDED_HELP) is set: help was printed, nothing else done']);
    return;
  }
  const { clock, signal, hostName, temporaryDirectory } = processContext;
  const readFile = async (path: string): Promise<string> => {
    return (await Promise.resolve(path).then(processContext.readFile)).toString('utf8');
  };
  const context = { log, clock, signal, hostName, temporaryDirectory, readFile };
  await call.command.run({ ...call, processContext, faults: [...call.faults, ...faults], context, monitor });
}

interface Opened {
  readonly log: Log;
  /** Of the settings that every command has. */
  readonly faults: readonly string[];
  /** By a variable, as for docker/dtr. */
  readonly isHelpForced: boolean;
}

/** Called before anything can fail: the faults of a wrong command line are logged in the right format, too. */
async function openLog(processContext: ProcessContext): Promise<Opened> {
  const flags = await parseGlobalFlags(processContext.argv);
  const { values, faults } = readSettings(globalSettings, { ...processContext, flags });
  const { logFormat = 'text', debug = false, helpExtended = false } = values as Partial<typeof values>;
  const log = createLog({ ...processContext, ...processContext.stderr, format: logFormat, debug });
  return { log, faults, isHelpForced: helpExtended };
}

function report(error: unknown, log: Log): RunEnd {
  if (!(error instanceof JobError)) return reportBug(error, log);
  const messages = error instanceof UsageError ? error.faults : [error.message];
  for (const message of messages) log.fatal(message);
  if (error instanceof UsageError) {
    log.info('See --help, or --help-extended for every setting with its environment variable');
  }
  return failed(error.exitCode, messages);
}

function reportBug(error: unknown, log: Log): RunEnd {
  const message = `This is a bug: ${errorText(error)}`;
  log.fatal(message, error instanceof Error ? error.stack : undefined);
  return failed(ExitCode.bug, [message]);
}

function failed(exitCode: ExitCode, errors: readonly string[] = []): RunEnd {
  return { exitCode, errors };
}
