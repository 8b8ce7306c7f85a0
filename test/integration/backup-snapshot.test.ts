// The model check: backups while writers write at full speed. Each table's state in the archive is one that it had.
// SNAPSHOT_RUNS=50 for as many runs as wanted.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { announceServer, directFlags } from '../support/direct-mode.js';
import { foldArchive, type FoldedArchive } from '../support/folded-archive.js';
import { History, seedTables, whileWriting } from '../support/history.js';
import { Program } from '../support/program.js';
import { clearServer } from '../support/restoring.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { until } from '../support/until.js';

const runs = Number(process.env.SNAPSHOT_RUNS ?? 3);
const tables = ['dtr2.first', 'dtr2.second', 'notaryserver.third'];
const writersPerTable = 2;

let server: ReqlServer;

beforeAll(async () => {
  server = await startReqlServer();
  announceServer(server);
}, 120_000);
afterAll(async () => server[Symbol.asyncDispose]());

interface Checked extends FoldedArchive {
  readonly stderr: string;
  /** What no prefix of any writer's history explains. */
  readonly faults: readonly string[];
}

/**
 * Backs up tables of this run alone, under writers that began before it, and judges what is in the archive. `pauses`: they
 * stop once the last table has been read, and all they did is demanded.
 */
async function backUpWhileWriting({ flags = [], pauses }: { flags?: string[]; pauses: boolean }): Promise<Checked> {
  await clearServer(server);
  await seedTables(server, tables, 6000);
  const histories = tables.flatMap((table) =>
    Array.from({ length: writersPerTable }, (_, writer) => new History(table, writer)),
  );
  const { ended, acknowledged } = await whileWriting(server, histories, async (stop) => {
    await until('every writer writes', () => histories.every((history) => history.acknowledged > 50));
    const counts = histories.map((history) => history.acknowledged);
    const program = new Program([...directFlags(server), ...flags]);
    const running = program.ended();
    if (pauses) {
      await program.waitForLog(/Read notaryserver\.third/);
      await stop();
    }
    return { ended: await running, acknowledged: pauses ? histories.map((history) => history.acknowledged) : counts };
  });
  expect({ exitCode: ended.exitCode, stderr: ended.exitCode === 0 ? '' : ended.stderr }).toEqual({
    exitCode: 0,
    stderr: '',
  });
  const folded = await foldArchive(ended.stdout);
  const faults = histories.flatMap((history, index) => {
    const state = folded.states.get(history.table.split('.')[1] ?? '') ?? new Map<string, string>();
    return history.fault(state, acknowledged[index] ?? 0, !pauses) ?? [];
  });
  return { ...folded, faults, stderr: ended.stderr };
}

describe('a snapshot taken under full writing', () => {
  test.each(Array.from({ length: runs }, (_, run) => run + 1))(
    "has each writer's operations up to one, but for RethinkDB's own disorder of the last ones (run %d)",
    async () => {
      const { faults, changeCount, stderr } = await backUpWhileWriting({ pauses: false });
      expect(faults).toEqual([]);
      expect(changeCount).toBeGreaterThan(0);
      expect(stderr).toContain('changes never paused');
    },
  );

  test('that pauses at the end has everything, to the last operation of every writer', async () => {
    const { faults, changeCount, stderr } = await backUpWhileWriting({ pauses: true });
    expect(faults).toEqual([]);
    expect(changeCount).toBeGreaterThan(0);
    expect(stderr).not.toContain('changes never paused');
  });
});

test('a scan under the same writing is caught by the same check', async () => {
  const faults: string[] = [];
  for (let tries = 0; tries < 10 && faults.length === 0; tries += 1) {
    faults.push(...(await backUpWhileWriting({ flags: ['--consistency', 'scan'], pauses: false })).faults);
  }
  expect(faults.join()).toContain('the state is none after');
});
