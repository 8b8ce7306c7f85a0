// Restoring into the replica that was backed up, on a real engine: its database over the overlay network, its volumes
// through the engine's archive call.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documented, dockerRun, output, shell, world } from './environment.js';

const { image, replicaId } = world;
const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-e2e-'));
const file = join(directory, 'first.tar');
const database = `dtr-rethinkdb-${replicaId}`;
const serial = '/ca/root/serial';

/** Names, counts and hashes of an archive's tables, and of its certificates. */
async function contentOf(archive: string): Promise<unknown> {
  const json = await output(`docker run -i --rm ${image} inspect --json - < ${archive}`);
  const { plan, manifest } = JSON.parse(json) as Record<'plan' | 'manifest', Record<string, object[]>>;
  return { plan: plan.tables, tables: manifest.tables, certificates: manifest.certificates };
}

async function checksum(): Promise<string> {
  return output(`docker exec ${database} sha256sum ${serial}; docker exec ${database} stat --format '%a %u' ${serial}`);
}

// Two snapshots may give the same rows in two orders.
const inKeyOrder = '--consistency scan';

describe(`restore, on ${world.database}`, () => {
  beforeAll(async () => {
    await output(`${dockerRun} ${image} backup ${documented} ${inKeyOrder} > ${file}`);
  });

  test('is refused where tables hold documents', async () => {
    const { exitCode, stderr } = await shell(`${dockerRun} ${image} restore ${documented} - < ${file}`).ended();
    expect(exitCode).toBe(10);
    expect(stderr).toContain('--replace');
    expect(stderr).toContain('Left overlay network dtr-ol');
  });

  test('--replace --certificates gives the replica back as it was', async () => {
    const before = await checksum();
    await output(`docker exec ${database} sh -c 'echo lost > ${serial}'`);
    expect(await checksum()).not.toBe(before);
    const line = `${dockerRun} ${image} restore ${documented} --replace --certificates - < ${file}`;
    const { exitCode, stdout, stderr } = await shell(line).ended();
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.toString()).toMatch(/dtr2\.events +20,000 .* complete/);
    expect(stdout.toString()).toMatch(/certificate file +ca\/root\/serial/);
    expect(await checksum()).toBe(before);
    const again = join(directory, 'second.tar');
    await output(`${dockerRun} ${image} backup ${documented} ${inKeyOrder} > ${again}`);
    expect(await contentOf(again)).toEqual(await contentOf(file));
  });
});
