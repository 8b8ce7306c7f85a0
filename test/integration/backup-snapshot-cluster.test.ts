// A snapshot of a cluster of two servers, in which the primary of a table moves meanwhile.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { checkArchive } from '../support/archive-check.js';
import { directFlags } from '../support/direct-mode.js';
import { expectFailure } from '../support/failure.js';
import { harmInMidTable, runProgram } from '../support/program.js';
import { r, withConnection, type Connection } from '../support/replica/driver.js';
import { findRethinkdb } from '../support/replica/find-rethinkdb.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedEvents } from '../support/replica/seed-events.js';
import { clearServer } from '../support/restoring.js';

const isReal = findRethinkdb() !== undefined;
if (!isReal) process.stderr.write('SKIPPED: a cluster of two servers, which the embedded one cannot be part of\n');
const eventCount = 20_000;

let first: ReqlServer;
let second: ReqlServer;

beforeAll(async () => {
  if (!isReal) return;
  first = await startReqlServer();
  second = await startReqlServer({ joins: first });
}, 120_000);
afterAll(async () => {
  if (!isReal) return;
  await second[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
});

/** Both servers have both tables; what is asked of the first server comes from the primary on the second. */
async function seed(): Promise<void> {
  await clearServer(first);
  await seedEvents(first, 10, { table: 'early' });
  await seedEvents(first, eventCount);
  await withConnection(first, async (connection) => {
    for (const name of ['early', 'events']) await putPrimary(connection, name, second);
  });
}

async function putPrimary(connection: Connection, table: string, server: ReqlServer): Promise<void> {
  const it = r.db('dtr2').table(table);
  const shard = { primary_replica: server.name, replicas: [first.name, second.name] };
  const change: object = { shards: [shard] };
  await it.config().update(change).run(connection);
  await it.wait({ waitFor: 'all_replicas_ready' }).run(connection);
}

(isReal ? describe : describe.skip)('a snapshot of a cluster', () => {
  beforeEach(seed);

  test('is whole where nothing moves', async () => {
    const ended = await runProgram(directFlags(first));
    expect({ exitCode: ended.exitCode, stderr: ended.exitCode === 0 ? '' : ended.stderr }).toMatchObject({
      exitCode: 0,
    });
    expect((await checkArchive(ended.stdout)).documents('events')).toHaveLength(eventCount);
  });

  test.each(['early', 'events'])('in which the primary of %s moves ends with 11', async (name) => {
    const ended = await harmInMidTable(directFlags(first), () =>
      withConnection(first, (connection) => putPrimary(connection, name, first)),
    );
    expectFailure(ended, 11, new RegExp(`dtr2\\.${name}`));
  });

  test.each(['killed', 'frozen'])(
    'in which the server with the primaries is %s never ends with 0 and a gap',
    async (harm) => {
      const ended = await harmInMidTable(directFlags(first), () =>
        harm === 'killed' ? second.kill() : second.freeze(),
      );
      if (harm === 'killed') await second.restart();
      else second.thaw();
      expectFailure(ended, 11, /dtr2\./);
    },
  );
});
