// The model check: backups while writers write at full speed. Each table's state in the archive is one that it had: for
// each writer that after some prefix of its operations, with all that was acknowledged before the start.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { announceServer, directFlags } from '../support/direct-mode.js';
import type { Ended } from '../support/command.js';
import { expectFailure } from '../support/failure.js';
import { canonicalText, foldArchive, type FoldedArchive } from '../support/folded-archive.js';
import { History, seedTables, whileWriting, type Rhythm } from '../support/history.js';
import { Program, runProgram } from '../support/program.js';
import { clearServer, expectDone, readTable, restoreFlags } from '../support/restoring.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { isFull, scaled } from '../support/scale.js';
import { until } from '../support/until.js';

const runs = scaled(1, 5);
const tables = ['dtr2.first', ...(isFull ? ['dtr2.second'] : []), 'notaryserver.third'];
const writersPerTable = 2;

let server: ReqlServer;

beforeAll(async () => {
  server = await startReqlServer();
  announceServer(server);
}, 120_000);
afterAll(async () => server[Symbol.asyncDispose]());

interface Checked extends FoldedArchive {
  readonly tar: Buffer;
  readonly stderr: string;
  /** What no prefix of any writer's history explains. */
  readonly faults: readonly string[];
}

/** Whether writers stop once the last table has been read (then all they did must be there), rest now and then, or never. */
type Rest = 'at the end' | 'now and then' | 'never';
/** Where changes never pause, a backup waits for ten times as long before it says so. */
const shortSettleTime = ['--settle-time', '0.1'];
const rhythm: Rhythm = { writeMs: 300, restMs: 300 };

/** Backs up tables of this run alone, under writers that began before it. */
async function backUpWhileWriting(
  rest: Rest,
  flags: string[] = [],
  rows = scaled(2000, 6000),
): Promise<Ended & { histories: Demanded[] }> {
  await clearServer(server);
  await seedTables(server, tables, rows);
  const histories = tables.flatMap((table) =>
    Array.from({ length: writersPerTable }, (_, writer) => new History(table, writer)),
  );
  const count = (): Demanded[] => histories.map((history) => ({ history, acknowledged: history.acknowledged }));
  const work = async (stop: () => Promise<unknown>): Promise<Ended & { histories: Demanded[] }> => {
    await until('every writer writes', () => histories.every((history) => history.acknowledged > 50));
    const atStart = count();
    const program = new Program([...directFlags(server), ...flags]);
    const running = program.ended();
    if (rest === 'at the end') {
      await program.waitForLog(/Read notaryserver\.third/);
      await stop();
    }
    const ended = await running;
    return { ...ended, histories: rest === 'at the end' ? count() : atStart };
  };
  return whileWriting(server, histories, work, rest === 'now and then' ? rhythm : undefined);
}

/** A writer, and how many of its operations must be in the archive. */
interface Demanded {
  readonly history: History;
  readonly acknowledged: number;
}

/** Judges what is in the archive. */
async function checkBackup(rest: Rest, flags?: string[], rows?: number): Promise<Checked> {
  const { exitCode, stdout, stderr, histories } = await backUpWhileWriting(rest, flags, rows);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  const folded = await foldArchive(stdout);
  const faults = histories.flatMap(({ history, acknowledged }) => {
    const state = folded.states.get(history.table.split('.')[1] ?? '') ?? new Map<string, string>();
    // Only of a table that never paused may some of the last operations be missing, and then the run says so.
    return history.fault(state, acknowledged, neverPaused.test(stderr)) ?? [];
  });
  return { ...folded, faults, tar: stdout, stderr };
}

const neverPaused = /WARN.* never paused/;

/** Again, where the machine was so busy that all writers stood still for a moment: that is a pause. */
async function untilNoPause<T>(run: () => Promise<T>, hadNone: (result: T) => boolean): Promise<T> {
  let result = await run();
  for (let tries = 1; tries < 5 && !hadNone(result); tries += 1) result = await run();
  return result;
}

describe('a snapshot taken under full writing', () => {
  test.each(Array.from({ length: runs }, (_, run) => run + 1))(
    "has each writer's operations up to one, exactly, where all rest for a moment (run %d)",
    async () => {
      const { faults, changeCount, stderr } = await checkBackup('now and then', ['--consistency', 'snapshot']);
      expect(faults).toEqual([]);
      expect(changeCount).toBeGreaterThan(0);
      expect(stderr).not.toContain('never paused');
    },
  );

  test.each(Array.from({ length: runs }, (_, run) => run + 1))(
    "that never pauses has them but for RethinkDB's own disorder of the last ones (run %d)",
    async () => {
      const checked = async (): Promise<Checked> => {
        const result = await checkBackup('never', shortSettleTime);
        expect(result.faults).toEqual([]);
        expect(result.changeCount).toBeGreaterThan(0);
        return result;
      };
      const { stderr } = await untilNoPause(checked, (result) => neverPaused.test(result.stderr));
      expect(stderr).toMatch(neverPaused);
    },
  );

  test('that never pauses ends with 11 where a snapshot was asked for', async () => {
    const run = (): Promise<Ended> => backUpWhileWriting('never', ['--consistency', 'snapshot', ...shortSettleTime]);
    const ended = await untilNoPause(run, ({ exitCode }) => exitCode !== 0);
    expectFailure(ended, 11, /never paused, and --consistency snapshot was asked for/);
  });

  test('that ends has everything, to the last operation of every writer, and so has what is restored', async () => {
    const { faults, changeCount, states, tar, stderr } = await checkBackup('at the end');
    expect(faults).toEqual([]);
    expect(changeCount).toBeGreaterThan(0);
    expect(stderr).not.toContain('never paused');
    await clearServer(server);
    const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-model-'));
    writeFileSync(join(directory, 'b.tar'), tar);
    expectDone(await runProgram([...restoreFlags(server, '2.5.3'), join(directory, 'b.tar')]));
    rmSync(directory, { recursive: true });
    for (const table of tables) {
      const { texts } = await readTable(server, table);
      const state = states.get(table.split('.')[1] ?? '');
      expect(texts.map((text) => canonicalText(JSON.parse(text) as object))).toEqual(
        [...(state?.values() ?? [])].sort(),
      );
    }
  });
});

test('a scan under the same writing is caught by the same check', async () => {
  // Several batches, and so slow that the writers change much of what has been read.
  const slowScan = ['--consistency', 'scan', '--rate-limit', '12000/s'];
  const faults: string[] = [];
  for (let tries = 0; tries < 10 && faults.length === 0; tries += 1) {
    faults.push(...(await checkBackup('never', slowScan, 6000)).faults);
  }
  expect(faults.join()).toContain('the state is none after');
});
