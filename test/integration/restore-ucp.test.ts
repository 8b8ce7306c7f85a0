// A restore the documented way: through UCP, over mutual TLS, and into the volumes only when told to.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeArchive, sampleRoot, type SampleTable } from '../support/archive/sample.js';
import { alterHeader, joinEntries, splitEntries } from '../support/archive/tar-blocks.js';
import type { Ended } from '../support/command.js';
import { announceServer } from '../support/direct-mode.js';
import { startEmbeddedDtr, ucpPassword, type EmbeddedDtr } from '../support/embedded-dtr.js';
import { expectFailure } from '../support/failure.js';
import { runProgram } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { expectDone } from '../support/restoring.js';

const ownId = 'c0ffee00'.repeat(8);
const tables: readonly SampleTable[] = [{ name: 'tags', texts: ['{"id":1}', '{"id":2}'] }];
// Not one of the three files that the next run opens its own connection with.
const key = { path: 'ca/registry/key.pem', body: Buffer.from('another key\n') };
const added = { path: 'notary/added/key.pem', body: Buffer.from('a new key\n') };

let dtr: EmbeddedDtr;
let directory: string;
let file: string;
let callsBefore = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  dtr = await startEmbeddedDtr({ ownContainer: { id: ownId } });
  announceServer(dtr.rethinkdb);
  const unchanged = { path: 'ca/rethink/cert.pem', body: dtr.volumes.ca.get('rethink/cert.pem') ?? Buffer.alloc(0) };
  file = await write('archive.tar', { certificates: [unchanged, key, added] });
}, 120_000);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await dtr[Symbol.asyncDispose]();
});
beforeEach(async () => {
  const drop = async (): Promise<void> => {
    const use = async (connection: Parameters<Parameters<typeof withConnection>[1]>[0]): Promise<void> => {
      if ((await r.dbList().run(connection)).includes('dtr2')) await r.dbDrop('dtr2').run(connection);
    };
    await withConnection(dtr.rethinkdb, use, dtr.identity);
  };
  await drop();
  callsBefore = dtr.ucp.calls.length;
});
afterEach(() => {
  dtr.ucp.faults.clear();
  dtr.ucp.state.unpackedFiles.length = 0;
});

async function write(name: string, options: Parameters<typeof makeArchive>[1]): Promise<string> {
  writeFileSync(join(directory, name), await makeArchive(tables, options));
  return join(directory, name);
}

/** Joins no network: this process runs in no container. */
function restore(...args: readonly string[]): Promise<Ended> {
  const flags = ['restore', '--ucp-url', dtr.ucp.url, '--ucp-insecure-tls', '--ucp-username', 'admin'];
  const address = ['--rethinkdb-addr', `127.0.0.1:${dtr.rethinkdb.port}`, '--connect-timeout', '3'];
  return runProgram([...flags, ...address, ...args], { env: { UCP_PASSWORD: ucpPassword } });
}

function countTags(): Promise<number> {
  return withConnection(
    dtr.rethinkdb,
    (connection) => r.db('dtr2').table('tags').count().run(connection),
    dtr.identity,
  );
}

/** Of the test that runs. */
const puts = () => dtr.ucp.calls.slice(callsBefore).filter(({ method }) => method === 'PUT');

describe('through UCP', () => {
  test('documents are restored, and no volume is touched', async () => {
    const ended = await restore(file);
    expectDone(ended);
    expect(await countTags()).toBe(2);
    expect(ended.stdout.toString()).toContain(`replica  ${dtr.replicaId}, DTR ${dtr.version}`);
    expect(puts()).toEqual([]);
    for (const secret of [ucpPassword, ...dtr.ucp.accounts.secrets]) expect(ended.stderr).not.toContain(secret);
  });

  test('--certificates writes the files that differ, with the mode and owner they have there', async () => {
    const ended = await restore('--certificates', file);
    expectDone(ended);
    expect(dtr.ucp.state.unpackedFiles).toEqual([
      { path: '/ca/registry/key.pem', mode: 0o600, uid: 0 },
      { path: '/notary/added/key.pem', mode: 0o600, uid: 0 },
    ]);
    expect(ended.stdout.toString()).toMatch(/^certificate file +ca\/registry\/key\.pem$/m);
    expect(ended.stderr).toMatch(/WARN.*restart the replica's containers/);
    expect(ended.stderr + ended.stdout.toString()).not.toContain('another key');
    // What has been written is what is read, through any container that has the volume.
    expectDone(await restore('--replace', '--certificates', file));
    expect(dtr.ucp.state.unpackedFiles).toHaveLength(2);
  });

  test('--certificates is refused for an archive without any, before anything is written', async () => {
    const ended = await restore('--certificates', await write('bare.tar', {}));
    expectFailure(ended, 10, /the archive holds no certificate files/);
    expect(puts()).toEqual([]);
  });

  test('a UCP that says it took the files, and has not, ends with 5 and their names', async () => {
    const changed = { path: 'ca/registry/key.pem', body: Buffer.from('a fourth key\n') };
    dtr.ucp.faults.add({ on: /^PUT /, fault: { kind: 'status', status: 200 } });
    const ended = await restore('--certificates', await write('unwritten.tar', { certificates: [changed] }));
    expectFailure(ended, 5, /certificate files were written, but read back otherwise: ca\/registry\/key\.pem/);
  });

  test('a UCP that does not take the files ends with 4, and the tables are listed as restored', async () => {
    const changed = { path: 'ca/registry/key.pem', body: Buffer.from('a third key\n') };
    dtr.ucp.faults.add({ on: /^PUT /, fault: { kind: 'status', status: 500, message: 'no space left on device' } });
    const ended = await restore('--certificates', await write('changed.tar', { certificates: [changed] }));
    expectFailure(ended, 4, /PUT .* with 500: no space left on device/);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.tags +2 +0 +complete/m);
    expect(ended.stdout.toString()).not.toMatch(/^certificate file/m);
  });

  test.each(['ca/../../etc/passwd', 'ca//etc/passwd', 'ca/./key.pem'])(
    'a file named %j is never written',
    async (path) => {
      const certificates = [{ path: path.replaceAll(/\W/g, '_').replace('_', '/'), body: Buffer.from('x') }];
      const archive = await makeArchive(tables, { certificates });
      const { entries, rest } = splitEntries(archive);
      const renamed = entries.map(({ name, bytes }) => ({
        name,
        bytes: name.endsWith(certificates[0]?.path ?? '') ? alterHeader(bytes, 0, sampleRoot.length + 7, path) : bytes,
      }));
      const hostile = join(directory, 'hostile.tar');
      writeFileSync(hostile, joinEntries(renamed, rest));
      expectFailure(await restore('--certificates', hostile), 9, /leads out of|has an empty name|has a dot for a name/);
      expect(puts()).toEqual([]);
      expect(dtr.ucp.state.unpackedFiles).toEqual([]);
    },
  );

  test('a name that only looks odd is written as it is', async () => {
    const names = ['a\\b.pem', 'old\\', 'b\u0007', 'ü x'];
    const certificates = names.map((name) => ({ path: `ca/odd/${name}`, body: Buffer.from(name) }));
    expectDone(await restore('--certificates', await write('odd.tar', { certificates })));
    expect(dtr.ucp.state.unpackedFiles.map(({ path }) => path)).toEqual(names.map((name) => `/ca/odd/${name}`));
  });
});
