/**
 * `npm run soak`: backup, verify, restore, compare, over and over on one server that is written to all the while; ten
 * minutes, or `--minutes N`. Ends with 1 when an archive does not verify, a restored table differs from its archive,
 * or the server keeps connections or the disk keeps files that nobody uses any more.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { r, withConnection } from '../test/support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../test/support/replica/reql-server.js';
import { eventText, seedEvents } from '../test/support/replica/seed-events.js';
import { measureNode, type Measured } from './bench/measured.js';

const { values: flags } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const endMs = performance.now() + Number(flags.minutes) * 60_000;
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-soak-'));
const file = join(directory, 'b.tar');
const peaks: number[] = [];
let isOver = false;
let changes = 0;

await using source = await startReqlServer();
await using target = await startReqlServer();
console.log(`${source.kind} ${source.version}, Node ${process.versions.node}, ${flags.minutes} minutes`);
if (source.kind !== 'rethinkdb') console.log('SKIPPED: counting connections, which the embedded server does not tell');
try {
  await seedEvents(source, 20_000);
  const writing = keepWriting(source);
  for (let round = 1; performance.now() < endMs; round += 1) await runRound(round);
  isOver = true;
  await writing;
} finally {
  isOver = true;
  rmSync(directory, { recursive: true });
}
if (peaks.length === 0) throw new Error(`no round fits into ${flags.minutes} minutes`);
const tenth = Math.max(1, Math.floor(peaks.length / 10));
const mean = (some: readonly number[]): number => some.reduce((sum, one) => sum + one, 0) / some.length / 1e6;
const [early, late] = [mean(peaks.slice(0, tenth)), mean(peaks.slice(-tenth))];
console.log(
  `${peaks.length} rounds, ${changes} changes; peak of a backup ${early.toFixed(0)} MB first, ${late.toFixed(0)} MB last`,
);

async function runRound(round: number): Promise<void> {
  const where = (server: ReqlServer): string[] => [
    ...['--rethinkdb-addr', `${server.host}:${server.port}`, '--rethinkdb-plaintext', '--dtr-version', '2.9.4'],
  ];
  const backup = await run('backup', ...where(source), '--output', file, '--force', '--settle-time', '1');
  await run('verify', file);
  await run('restore', ...where(target), '--replace', file);
  // What was restored, backed up without a writer about, must be restored the same again.
  const first = await contentOf(target);
  await run('backup', ...where(target), '--output', file, '--force', '--settle-time', '1');
  await run('restore', ...where(target), '--replace', file);
  if ((await contentOf(target)) !== first)
    throw new Error(`round ${round}: the restored table differs from its archive`);
  peaks.push(backup.peakBytes);
  const left = readdirSync(directory);
  if (left.join() !== 'b.tar') throw new Error(`round ${round}: left behind: ${left.join(', ')}`);
  const connections = await connectionsOf(source);
  // Ours that asks, and the writer's.
  if (connections !== undefined && connections > 2)
    throw new Error(`round ${round}: the server has ${connections} connections`);
  console.log(
    `round ${round}: whole and restored; backup took ${(backup.wallMs / 1000).toFixed(1)} s, ${(backup.peakBytes / 1e6).toFixed(0)} MB`,
  );
}

async function run(...args: string[]): Promise<Measured> {
  return measureNode([main, ...args]);
}

/** Replaces, inserts and deletes about a hundred documents a second, until the soak is over. */
async function keepWriting(server: ReqlServer): Promise<void> {
  await withConnection(server, async (connection) => {
    const events = r.db('dtr2').table('events');
    for (; !isOver; changes += 3) {
      const texts = [eventText(changes % 20_000), eventText(20_000 + (changes % 5000))];
      await events.insert(r.json(`[${texts.join(',')}]`), { conflict: 'replace' }).run(connection);
      const { id } = JSON.parse(eventText(20_000 + ((changes + 2500) % 5000))) as { id: string };
      await events.get(id).delete().run(connection);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  });
}

async function contentOf(server: ReqlServer): Promise<string> {
  return withConnection(server, async (connection) => {
    const hash = createHash('sha256');
    const rows = r
      .db('dtr2')
      .table('events')
      .orderBy({ index: 'id' })
      .map((row) => row.toJSON());
    const cursor = await rows.getCursor(connection);
    let count = 0;
    for await (const text of cursor) {
      hash.update(`${String(text)}\n`);
      count += 1;
    }
    return `${count} ${hash.digest('hex')}`;
  });
}

/** Of clients; undefined where the server does not tell. */
async function connectionsOf(server: ReqlServer): Promise<number | undefined> {
  if (server.kind !== 'rethinkdb') return undefined;
  return withConnection(server, async (connection) => {
    const stats = r.db('rethinkdb').table('stats').get(['cluster']);
    const { query_engine: engine } = (await stats.run(connection)) as { query_engine: { client_connections: number } };
    return engine.client_connections;
  });
}
