// `verify IMAGES --metadata ARCHIVE` with metadata that `backup` read from a server, in every form that it writes.
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BackupFixture, fitLinesOf } from '../../support/backup-fixture.js';
import { announceServer, directFlags } from '../../support/direct-mode.js';
import { runProgram } from '../../support/program.js';
import { blobIdPath } from '../../support/registry-tree.js';
import { r, withConnection } from '../../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../../support/replica/reql-server.js';

let server: ReqlServer;
let halves: BackupFixture;

beforeAll(async () => {
  server = await startReqlServer();
  announceServer(server);
  halves = new BackupFixture();
  await withConnection(server, async (connection) => {
    await r.dbCreate('dtr2').run(connection);
    for (const [name, rows] of Object.entries(halves.rows)) {
      await r
        .db('dtr2')
        .tableCreate(name, { primaryKey: name === 'blobs' ? 'id' : 'pk' })
        .run(connection);
      const times = rows.map((row) => ({ ...row, createdAt: new Date(1e12), payload: Buffer.from('{}') }));
      await r.db('dtr2').table(name).insert(times).run(connection);
    }
  });
  await halves.writeImages();
}, 60_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  halves[Symbol.dispose]();
});

test.each([
  ['a scan', ['--consistency', 'scan']],
  ['a scan in encoding dtr', ['--consistency', 'scan', '--document-encoding', 'dtr']],
  ['a snapshot', ['--consistency', 'snapshot']],
])('%s fits the images, and not without a blob', async (_what, flags) => {
  const { exitCode, stdout } = await runProgram([...directFlags(server), ...flags]);
  expect(exitCode).toBe(0);
  writeFileSync(halves.path('m.tar'), stdout);
  const fits = await halves.check();
  expect(fits.exitCode).toBe(0);
  expect(fitLinesOf(fits)).toEqual([
    'fits the metadata: all that it names is there and unaltered: 3 tags, 3 manifests, 3 blobs',
  ]);
  using lossy = new BackupFixture();
  lossy.remove(blobIdPath('cc-config'));
  await lossy.writeImages();
  const metadata = halves.path('m.tar');
  const lost = await runProgram(['verify', lossy.path('i.tar'), '--metadata', metadata]);
  expect(lost.exitCode).toBe(9);
  expect(fitLinesOf(lost)).toContain(`org/app:latest: ${lossy.config} is missing: ${blobIdPath('cc-config')}`);
});
