/** The rows of the matrix about what the command line and the variables ask for. */
import { join } from 'node:path';
import { runProgram } from '../support/program.js';
import { startReqlServer } from '../support/replica/reql-server.js';
import { makeTable } from '../support/restoring.js';
import { backupFlags, outputIn, type FaultCase } from './fault-case.js';

export const commandLineCases: readonly FaultCase[] = [
  {
    area: 'command line',
    fault: '--config-only, as of docker/dtr 2.0 and 2.1',
    exitCode: 2,
    says: /--config-only is refused: .*restore --table dtr2\.properties/,
    verdict: 'nothing',
    run: ({ server }) => runProgram(backupFlags(server, ['--config-only'])),
  },
  {
    area: 'command line',
    fault: 'DTR_REPLICA_ID and MSR_REPLICA_ID name two replicas',
    exitCode: 2,
    says: /DTR_REPLICA_ID and MSR_REPLICA_ID differ/,
    verdict: 'nothing',
    run: ({ server }) =>
      runProgram(backupFlags(server), { env: { DTR_REPLICA_ID: '0a1b2c3d4e5f', MSR_REPLICA_ID: 'ffffffffffff' } }),
  },
  {
    area: 'command line',
    fault: 'backup FILE --output OTHER',
    exitCode: 2,
    says: /FILE and --output FILE are both given, and differ/,
    verdict: 'nothing',
    leftBehind: [],
    run: (context) => {
      const other = join(context.directory, 'other.tar');
      return runProgram(backupFlags(context.server, [other, ...outputIn(context)]));
    },
  },
  {
    area: 'command line',
    fault: 'every database of DTR is missing: another RethinkDB',
    exitCode: 2,
    says: /no table of DTR \(databases found: .*shop\)/,
    verdict: 'nothing',
    run: async () => {
      await using other = await startReqlServer();
      await makeTable(other, 'shop.orders', ['{"id":1}']);
      return await runProgram(backupFlags(other));
    },
  },
  {
    area: 'command line',
    fault: 'DTR_EXTENDED_HELP is left set: help in place of an archive',
    exitCode: 2,
    says: /DTR_EXTENDED_HELP \(MSR_EXTENDED_HELP\) is set: help was printed, nothing else done/,
    verdict: 'refused',
    run: ({ server }) => runProgram(backupFlags(server), { env: { DTR_EXTENDED_HELP: '1' } }),
  },
];
