/** The rows of the matrix about snapshots: what is lost ends the run, and nothing else does. */
import { seedEvents } from '../support/replica/seed-events.js';
import { r, withConnection, type Connection } from '../support/replica/driver.js';
import type { ReqlServer } from '../support/replica/reql-server.js';
import type { Ended } from '../support/command.js';
import { harmInMidTable, Program, runProgram } from '../support/program.js';
import { startTcpProxy, type ProxyOptions } from '../support/tcp-proxy.js';
import { snapshotFlags, type FaultCase } from './fault-case.js';

const dtr2 = r.db('dtr2');
const early = dtr2.table('early');

/** A small table is ready early, and the large one after it can be stalled in. */
function snapshotCase(
  fault: string,
  [exitCode, says]: readonly [exitCode: 0 | 11, says?: RegExp],
  run: (server: ReqlServer) => Promise<Ended>,
): FaultCase {
  return {
    ...{ area: 'snapshot', fault, exitCode, verdict: exitCode === 0 ? 'whole' : 'refused' },
    ...(says !== undefined && { says }),
    run: async ({ server }) => {
      await seedEvents(server, 10, { table: 'early' });
      try {
        return await run(server);
      } finally {
        await withConnection(server, removeTraces);
      }
    },
  };
}

async function removeTraces(connection: Connection): Promise<void> {
  for (const name of await dtr2.tableList().run(connection)) {
    if (name !== 'events') await dtr2.tableDrop(name).run(connection);
  }
  for (const name of await dtr2.table('events').indexList().run(connection)) {
    await dtr2.table('events').indexDrop(name).run(connection);
  }
}

const whileStalled =
  (harm: (connection: Connection) => Promise<unknown>, ...flags: string[]) =>
  (server: ReqlServer): Promise<Ended> =>
    harmInMidTable(snapshotFlags(server, flags), () => withConnection(server, harm));

const throughProxy = (options: ProxyOptions) => async (server: ReqlServer) => {
  await using proxy = await startTcpProxy(server, options);
  return await runProgram(snapshotFlags(proxy));
};

async function insertMany(connection: Connection): Promise<void> {
  for (let number = 0; number < 300; number += 1) await early.insert({ id: `new-${number}` }).run(connection);
}

/** Connections of a backup before the last table's: the catalog's, the trial of whether the server can, the first table's. */
const untilLastFeed = [Infinity, Infinity, Infinity];

export const snapshotCases: readonly FaultCase[] = [
  snapshotCase(
    'the output stands still, and the server drops changes from its short queue',
    [11, /changes of dtr2\.early are not complete: .*skipped \d+ elements.*--changefeed-queue-size/],
    whileStalled(insertMany, '--changefeed-queue-size', '10'),
  ),
  snapshotCase('the output stands still, and the queue is long enough', [0], whileStalled(insertMany)),
  snapshotCase('the server is killed, and comes back', [11, /are not complete/], (server) =>
    harmInMidTable(snapshotFlags(server), async () => {
      await server.kill();
      await server.restart();
    }),
  ),
  snapshotCase('the server is frozen in mid-table', [11, /are not complete: no answer for 2 s/], async (server) => {
    const ended = await harmInMidTable(snapshotFlags(server), () => server.freeze());
    server.thaw();
    return ended;
  }),
  snapshotCase(
    'the server is frozen while all is quiet',
    [11, /are not complete: no answer for 2 s/],
    async (server) => {
      const program = new Program(snapshotFlags(server, ['--settle-time', '100']));
      const ended = program.ended();
      await program.waitForLog(/Read dtr2\.events/);
      server.freeze();
      await ended;
      server.thaw();
      return ended;
    },
  ),
  snapshotCase(
    'a connection is cut before any of its table has left',
    [0],
    throughProxy({ cutAfterBytes: [...untilLastFeed, 2000] }),
  ),
  snapshotCase(
    'a connection is cut in mid-table',
    [11, /the changes of dtr2\.events are not complete/],
    throughProxy({ cutAfterBytes: [...untilLastFeed, 5_000_000] }),
  ),
  snapshotCase(
    'a table that has been read is dropped',
    [11, /dtr2\.early/],
    whileStalled((connection) => dtr2.tableDrop('early').run(connection)),
  ),
  snapshotCase(
    'a table is created',
    [11, /dtr2\.late was created/],
    whileStalled((connection) => dtr2.tableCreate('late').run(connection)),
  ),
  snapshotCase(
    'a table is given an index',
    [11, /dtr2\.events was reconfigured/],
    whileStalled((connection) => dtr2.table('events').indexCreate('actor').run(connection)),
  ),
  snapshotCase(
    'a table that has been read is dropped and made again',
    [11, /dtr2\.early/],
    whileStalled(async (connection) => {
      await dtr2.tableDrop('early').run(connection);
      await dtr2.tableCreate('early').run(connection);
    }),
  ),
];
