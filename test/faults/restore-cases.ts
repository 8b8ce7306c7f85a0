/** The rows of the matrix about restores: what they must not call complete. */
import { closeSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeArchive, sampleRoot } from '../support/archive/sample.js';
import { foreignTar } from '../support/archive/tar-blocks.js';
import type { Ended } from '../support/command.js';
import { Program, runProgram } from '../support/program.js';
import { r, withConnection, type Connection } from '../support/replica/driver.js';
import { restoreFlags } from '../support/restoring.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import type { FaultCase, FaultContext } from './fault-case.js';

const texts = Array.from({ length: 200 }, (_, n) => `{"id":${n},"text":"${'x'.repeat(400)}"}`);
const archive = (): Promise<Buffer> => makeArchive([{ database: 'restored', name: 'some', texts }]);
const locks = r.db('dtr_backup').table('locks');

/** The matrix judges archives on stdout; a restore prints its report there. */
function withoutReport(ended: Ended): Ended {
  return { ...ended, stdout: Buffer.alloc(0) };
}

/** Begins a restore, holds it after so many bytes to the server, does `harm`, and lets it go on. */
async function restoreHeld(
  { server }: FaultContext,
  holdAfterBytes: number,
  harm: (file: string, connection: Connection) => Promise<void>,
  flags: readonly string[] = [],
): Promise<Ended> {
  const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-restore-'));
  const file = join(directory, 'archive.tar');
  writeFileSync(file, await archive());
  await using proxy = await startTcpProxy(server, { holdAfterBytes });
  const program = new Program([...restoreFlags(proxy), '--replace', ...flags, file]);
  await Promise.race([proxy.held, program.exitCode()]);
  await withConnection(server, (connection) => harm(file, connection));
  proxy.release();
  const ended = await program.ended();
  rmSync(directory, { recursive: true });
  return withoutReport(ended);
}

async function setLock(connection: Connection): Promise<void> {
  const theirs = { id: 'restore', owner: 'c0ffee', startedAt: '2026-11-26T01:00:00Z', token: 'theirs' };
  await locks.insert(theirs, { conflict: 'replace' }).run(connection);
}

export const restoreCases: readonly FaultCase[] = [
  {
    area: 'restore',
    fault: 'the archive is altered after it was verified',
    exitCode: 9,
    says: /has changed since it was verified/,
    verdict: 'nothing',
    run: (context) =>
      restoreHeld(context, 500, async (file) => {
        const descriptor = openSync(file, 'r+');
        writeSync(descriptor, 'yyyy', (await archive()).indexOf('xxxxxxxx'));
        closeSync(descriptor);
      }),
  },
  {
    area: 'restore',
    fault: 'another file takes its place after it was verified, and a document is altered on the server',
    exitCode: 7,
    says: /1 of restored\.some: something else writes/,
    verdict: 'nothing',
    run: (context) => {
      const alter = async (file: string, connection: Connection): Promise<void> => {
        writeFileSync(`${file}.new`, 'another');
        renameSync(`${file}.new`, file);
        const document = r.db('restored').table('some').get(7);
        await until('it is altered', async () => (await document.update({ odd: 1 }).run(connection)).replaced > 0);
      };
      // 86 kB of documents have gone, and not as much again to compare them.
      return restoreHeld(context, 130_000, alter, ['--verify']);
    },
  },
  {
    area: 'restore',
    fault: 'another restore holds the lock',
    exitCode: 10,
    says: /another restore writes into this RethinkDB \(c0ffee/,
    verdict: 'nothing',
    run: async ({ server }) => {
      await withConnection(server, setLock);
      const ended = await runProgram(restoreFlags(server), { stdin: await archive() });
      await withConnection(server, (connection) => locks.delete().run(connection));
      return withoutReport(ended);
    },
  },
  {
    area: 'restore',
    fault: 'its lock is broken in the middle',
    exitCode: 7,
    says: /lock of this restore was taken by c0ffee/,
    verdict: 'nothing',
    run: async (context) => {
      const ended = await restoreHeld(context, 30_000, (_file, connection) => setLock(connection));
      await withConnection(context.server, (connection) => locks.delete().run(connection));
      return ended;
    },
  },
  {
    area: 'restore',
    fault: 'no room for the temporary file of a stream',
    exitCode: 8,
    says: /cannot keep a temporary file in \/nowhere/,
    verdict: 'nothing',
    run: async ({ server }) =>
      await runProgram(restoreFlags(server), { stdin: await archive(), env: { TMPDIR: '/nowhere' } }),
  },
  {
    area: 'restore',
    fault: 'neither the archive nor the replica tells a primary key',
    exitCode: 10,
    says: /tells the primary key of dtr2\.repositories/,
    verdict: 'nothing',
    run: async ({ server }) => {
      const stdin = await foreignTar([[{ name: `${sampleRoot}/rethink/repositories/0` }, '{"id":"a","pk":"b"}']]);
      return withoutReport(await runProgram([...restoreFlags(server), '--allow-unproven'], { stdin }));
    },
  },
];
