// `--offline-backup` on real containers: all that write stand still meanwhile, and run again whatever comes of it.
import { describe, expect, test } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from '../support/command.js';
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

type States = Awaited<ReturnType<typeof states>>;

/** Each runs, and these have been stopped in between. */
async function expectRunning(before: States, restarted: readonly string[] = names): Promise<void> {
  for (const [name, { isRunning, startedAt }] of await states()) {
    expect({ name, isRunning }).toEqual({ name, isRunning: true });
    if (restarted.includes(name)) expect(startedAt).not.toBe(before.get(name)?.startedAt);
  }
}

/** An offline backup in a container of this name, and the files it writes. */
function offline(name: string, flags = ''): Command {
  return shell(`${dockerRun} --name ${name} ${image} backup ${documented} --offline-backup ${flags} > ${file}`);
}

/** Does `work` while the container answers nobody. */
async function whilePaused(container: string, work: () => Promise<void>): Promise<void> {
  await output(`docker pause ${container}`);
  try {
    await work();
  } finally {
    await output(`docker unpause ${container}`);
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
    await expectRunning(before);
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
    await expectRunning(before);
  });

  test('that fails, as its reader goes away', async () => {
    const before = await states();
    const job = `node /app/dist/main.js backup ${documented} --offline-backup | head -c 100 > /dev/null; exit \${PIPESTATUS[0]}`;
    const { exitCode } = await shell(
      `docker run -i --rm --env UCP_PASSWORD --entrypoint bash ${image} -c '${job}'`,
    ).ended();
    expect(exitCode).toBe(8);
    await expectRunning(before);
  });

  test('that is terminated while it stops them', async () => {
    const before = await states();
    const job = offline('dtr-backup-offline');
    await job.waitForLog(/Stopped \S*dtr-nginx/);
    await output('docker kill --signal TERM dtr-backup-offline');
    expect(await job.exitCode()).toBe(143);
    await expectRunning(before, names.slice(0, 1));
  });

  test('that is terminated while it starts them', async () => {
    const before = await states();
    const job = offline('dtr-backup-offline');
    await job.waitForLog(/Starting 8 containers again/);
    // The archive may have been complete, and the job about to end, just then.
    await shell('docker kill --signal TERM dtr-backup-offline').ended();
    const exitCode = await job.exitCode();
    expect({ exitCode, stderr: exitCode === 0 || exitCode === 143 ? '' : job.stderr }).toEqual({
      exitCode,
      stderr: '',
    });
    await expectRunning(before);
  });

  test('that loses UCP while it stops them', async () => {
    const before = await states();
    const job = offline('dtr-backup-offline', '--connect-timeout 3');
    await job.waitForLog(/Stopped \S*dtr-nginx/);
    await whilePaused('dtr-test-ucp', () => job.waitForLog(/Starting \d containers again/));
    expect(await job.exitCode()).toBe(4);
    await expectRunning(before, names.slice(0, 1));
  });

  test('that loses RethinkDB while it reads', async () => {
    const before = await states();
    const job = offline('dtr-backup-offline', '--connect-timeout 3 --read-timeout 3');
    await job.waitForLog(/Stopped \S*dtr-scanningstore/);
    await whilePaused(`dtr-rethinkdb-${replicaId}`, () => job.waitForLog(/Starting 8 containers again/));
    expect([7, 11]).toContain(await job.exitCode());
    await expectRunning(before);
  });

  test('that loses UCP while it starts them: 12, and the command that it gives starts them', async () => {
    const before = await states();
    const job = offline('dtr-backup-offline', '--start-timeout 2');
    await job.waitForLog(/Stopped \S*dtr-scanningstore/);
    await whilePaused('dtr-test-ucp', async () => expect(await job.exitCode()).toBe(12));
    const [, command = 'false'] = /FATA.*start by hand: (docker start .*)/.exec(job.stderr) ?? [];
    await output(command);
    await expectRunning(before);
    expect(await output(`docker run -i --rm ${image} verify - < ${file}`)).toMatch(/: whole/);
  });
});
