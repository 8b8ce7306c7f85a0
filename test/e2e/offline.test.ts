// `--offline-backup` on real containers: all that write stand still meanwhile, and run again whatever comes of it.
import { describe, expect, test } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documented, dockerRun, output, shell, world } from './environment.js';

const { image, replicaId } = world;
const file = join(mkdtempSync(join(tmpdir(), 'dtr-backup-e2e-')), 'offline.tar');
const roles = ['nginx', 'jobrunner', 'registry', 'notary-server', 'notary-signer', 'api', 'garant', 'scanningstore'];
const names = roles.map((role) => `dtr-${role}-${replicaId}`);

/** Whether it runs, and since when, by container. */
async function states(): Promise<Map<string, { readonly isRunning: boolean; readonly startedAt: string }>> {
  const format = '{{.Name}} {{.State.Running}} {{.State.StartedAt}}';
  const lines = (await output(`docker inspect --format '${format}' ${names.join(' ')}`)).split('\n');
  return new Map(
    lines.map((line) => {
      const [name = '', running, startedAt = ''] = line.split(' ');
      return [name.slice(1), { isRunning: running === 'true', startedAt }];
    }),
  );
}

/** Each runs again, and has been stopped in between; RethinkDB has not. */
async function expectRestarted(before: Awaited<ReturnType<typeof states>>): Promise<void> {
  for (const [name, { isRunning, startedAt }] of await states()) {
    expect({ name, isRunning }).toEqual({ name, isRunning: true });
    expect(startedAt).not.toBe(before.get(name)?.startedAt);
  }
}

describe('an offline backup', () => {
  test('that succeeds: stopped nginx first, read, all running again', async () => {
    const before = await states();
    const line = `${dockerRun} ${image} backup ${documented} --offline-backup > ${file}`;
    const { exitCode, stderr } = await shell(line).ended();
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    const stopped = [...stderr.matchAll(/Stopped \/?(?:[\w-]+\/)?(dtr-\S+)/g)].map(([, name]) => name);
    expect(stopped).toEqual(names);
    expect(stderr).toMatch(/Stopping 8 containers; if this job cannot start them again: docker start \S+/);
    await expectRestarted(before);
    const verdict = await output(`docker run -i --rm ${image} verify - < ${file}`);
    expect(verdict).toMatch(/^dtr-backup-v2\.9\.4-offline\/: whole/);
  });

  test('that is terminated while it reads', async () => {
    const before = await states();
    const job = shell(`${dockerRun} --name dtr-backup-offline ${image} backup ${documented} --offline-backup`);
    await job.readThenStall(100_000);
    const stopping = shell('docker stop --time 100 dtr-backup-offline').ended();
    const [{ exitCode }] = await Promise.all([job.ended(), stopping]);
    expect(exitCode).toBe(143);
    await expectRestarted(before);
  });

  test('that fails, as its reader goes away', async () => {
    const before = await states();
    const job = `node /app/dist/main.js backup ${documented} --offline-backup | head -c 100 > /dev/null; exit \${PIPESTATUS[0]}`;
    const { exitCode } = await shell(
      `docker run -i --rm --env UCP_PASSWORD --entrypoint bash ${image} -c '${job}'`,
    ).ended();
    expect(exitCode).toBe(8);
    await expectRestarted(before);
  });
});
