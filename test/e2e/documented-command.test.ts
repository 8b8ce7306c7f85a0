// The documented command, word for word, against a real engine, overlay network and mutual TLS.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ended } from '../support/command.js';
import { documented, dockerRun, output, shell, world } from './environment.js';

const { image, replicaId } = world;
const file = join(mkdtempSync(join(tmpdir(), 'dtr-backup-e2e-')), 'dtr-metadata-backup.tar');
const database = `dtr-rethinkdb-${replicaId}`;

describe(`the documented command, on ${world.database}`, () => {
  let ended: Ended;
  let changes: readonly NetworkChange[];

  beforeAll(async () => {
    const since = await output('date +%s.%N');
    ended = await shell(`${dockerRun} ${image} backup ${documented} > ${file}`).ended();
    process.stdout.write(ended.stderr);
    changes = await networkChanges(since);
  });

  test('ends with 0, and the file is a whole archive', async () => {
    expect(ended.exitCode).toBe(0);
    const verdict = await shell(`docker run -i --rm ${image} verify - < ${file}`).ended();
    expect(`${verdict.exitCode ?? ''} ${verdict.stdout.toString()}`).toMatch(/^0 .*whole/);
  });

  test('holds the replica as it was seeded, with the id and version that its containers show', async () => {
    const json = await output(`docker run -i --rm ${image} inspect --json - < ${file}`);
    const { plan, manifest } = JSON.parse(json) as { plan: object; manifest: Manifest };
    expect(plan).toMatchObject({ replicaId, dtrVersion: '2.9.4' });
    expect(manifest.tables).toHaveLength(26);
    const events = manifest.tables.find(({ directory }) => directory === 'events');
    expect(events?.documents.count).toBe(20_000);
  });

  test('starts on the default network alone, joins dtr-ol, and leaves it', () => {
    const id = /Joined overlay network dtr-ol with container ([0-9a-f]{12})/.exec(ended.stderr)?.[1] ?? 'none';
    expect(ended.stderr).toContain(`Left overlay network dtr-ol with container ${id}`);
    // As the engine itself saw it, which tells of some disconnections twice. Where the container was when it ended, it
    // leaves last.
    const own = new Set(changes.filter(({ container }) => container.startsWith(id)).map(({ what }) => what));
    expect([...own]).toEqual(['connect bridge', 'connect dtr-ol', 'disconnect dtr-ol', 'disconnect bridge']);
  });

  test('reads RethinkDB under its name on the overlay network', () => {
    expect(ended.stderr).toContain(`Connecting to RethinkDB at ${database}.dtr-ol:28015`);
    expect(ended.stderr).toMatch(/Connected to RethinkDB \d/);
  });

  test('holds the files of both volumes, byte for byte', async () => {
    const paths = { ca: ['rethink/cert.pem', 'root/serial'], notary: ['notary-signer/key.pem'] };
    const containers = { ca: database, notary: `dtr-notary-signer-${replicaId}` };
    for (const volume of ['ca', 'notary'] as const) {
      for (const path of paths[volume]) {
        const archived = await shell(`tar -xOf ${file} dtr-backup-v2.9.4-online/certs/${volume}/${path}`).ended();
        const real = await shell(`docker exec ${containers[volume]} cat /${volume}/${path}`).ended();
        expect(real.exitCode).toBe(0);
        expect(archived.stdout.equals(real.stdout)).toBe(true);
      }
    }
  });
});

describe('around the documented command', () => {
  test("UCP's own CA is enough to trust it", async () => {
    const [address = '', port = ''] = world.ucp.split(':');
    const ca = `"$(curl --silent --insecure https://${world.ucp}/ca)"`;
    const flags = `--ucp-url ucp:${port} --ucp-ca ${ca} --ucp-username admin`;
    const line = `${dockerRun} --add-host ucp:${address} ${image} backup ${flags} --dry-run`;
    const { exitCode, stderr } = await shell(line).ended();
    expect(stderr).toContain('Plan: dtr-backup-v2.9.4-online/ with 26 tables');
    expect(exitCode).toBe(0);
  });

  test('mutual TLS: a client without the certificate is refused, with it it is not', async () => {
    const pem = (path: string): string => `"$(docker exec ${database} cat /ca/${path})"`;
    const direct = `--rethinkdb-addr ${database}.dtr-ol --rethinkdb-ca ${pem('rethink/cert.pem')}`;
    const line = `docker run -i --rm --network dtr-ol ${image} backup ${direct} --dtr-version 2.9.4 --connect-timeout 3 --dry-run`;
    expect((await shell(line).ended()).exitCode).toBe(7);
    const cert = `--rethinkdb-client-cert ${pem('rethink-client/cert.pem')}`;
    const key = `--rethinkdb-client-key ${pem('rethink-client/key.pem')}`;
    expect((await shell(`${line} ${cert} ${key}`).ended()).exitCode).toBe(0);
  });

  test('a wrong password is refused, and nothing is written or joined', async () => {
    const env = { UCP_PASSWORD: 'wrong-and-secret' };
    const { exitCode, stdout, stderr } = await shell(`${dockerRun} ${image} backup ${documented}`, env).ended();
    expect({ exitCode, bytes: stdout.length }).toEqual({ exitCode: 3, bytes: 0 });
    expect(stderr).not.toMatch(/wrong-and-secret|overlay/);
  });

  test('a replica that is not there', async () => {
    const flags = documented.replace(replicaId, 'ffffffffffff');
    const { exitCode, stderr } = await shell(`${dockerRun} ${image} backup ${flags}`).ended();
    expect(exitCode).toBe(5);
    expect(stderr).toContain('ffffffffffff');
  });
});

interface Manifest {
  readonly tables: readonly { readonly directory: string; readonly documents: { readonly count: number } }[];
}

interface NetworkChange {
  readonly what: string;
  readonly container: string;
}

/** What the engine says it connected and disconnected since then, in order. */
async function networkChanges(since: string): Promise<NetworkChange[]> {
  const format = '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.container}}';
  const filters = '--filter type=network --filter event=connect --filter event=disconnect';
  const lines = await output(`docker events --since ${since} --until "$(date +%s.%N)" ${filters} --format '${format}'`);
  return lines.split('\n').map((line) => {
    const [action = '', network = '', container = ''] = line.split(' ');
    return { what: `${action} ${network}`, container };
  });
}
