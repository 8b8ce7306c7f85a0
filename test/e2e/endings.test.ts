// How the job's container ends before its time: stopped, cut off, on a terminal.
import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documented, dockerRun, output, shell, world } from './environment.js';

const { image } = world;

describe('the job as a container', () => {
  test('docker stop: 143, the network left, no trailer', async () => {
    const name = 'dtr-backup-stopped';
    const job = shell(`${dockerRun} --name ${name} ${image} backup ${documented}`);
    // Nobody reads on: the job soon stands still in the middle of a table.
    const begin = await job.readThenStall(100_000);
    const stopping = shell(`docker stop --time 60 ${name}`).ended();
    const [{ exitCode, stdout, stderr }, stopped] = await Promise.all([job.ended(), stopping]);
    expect({ exitCode, stopped: stopped.exitCode }).toEqual({ exitCode: 143, stopped: 0 });
    expect(stderr).toContain('terminated by SIGTERM');
    expect(stderr).toContain('Left overlay network dtr-ol');
    const file = join(mkdtempSync(join(tmpdir(), 'dtr-backup-e2e-')), 'cut.tar');
    writeFileSync(file, Buffer.concat([begin, stdout]));
    const verdict = await shell(`docker run -i --rm ${image} verify - < ${file}`).ended();
    expect(verdict.exitCode).toBe(9);
    expect(await output('docker network inspect dtr-ol')).not.toContain(name);
  });

  test('a reader that goes away ends the job with 8', async () => {
    const job = `node /app/dist/main.js backup ${documented} | head -c 100 > /dev/null; exit \${PIPESTATUS[0]}`;
    const line = `docker run -i --rm --env UCP_PASSWORD --entrypoint bash ${image} -c '${job}'`;
    const { exitCode, stderr } = await shell(line).ended();
    expect(exitCode).toBe(8);
    expect(stderr).toContain('Left overlay network dtr-ol');
  });

  test('a reader of docker run that goes away fails the pipe, too', async () => {
    // Docker's own client breaks first, with 1; the engine reads on, so that the job is never told.
    const line = `set -o pipefail; ${dockerRun} ${image} backup ${documented} | head -c 100 > /dev/null`;
    expect((await shell(line).ended()).exitCode).toBe(1);
  });

  test('-t is refused', async () => {
    const line = `script --quiet --return --command '${dockerRun} -t ${image} backup ${documented}' /dev/null`;
    const { exitCode, stdout } = await shell(line).ended();
    expect(exitCode).toBe(8);
    expect(stdout.toString()).toContain('remove -t from docker run');
  });
});
