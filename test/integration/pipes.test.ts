/**
 * Piping a backup into tools that store what comes: what docs/pipelines.md says of restic and rclone, with a local
 * repository and a local remote.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Command, type Ended } from '../support/command.js';
import { directFlags } from '../support/direct-mode.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedEvents } from '../support/replica/seed-events.js';

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const hasRestic = spawnSync('restic', ['version']).status === 0;
const hasRclone = spawnSync('rclone', ['version']).status === 0;
if (!hasRestic) process.stderr.write('SKIPPED for want of restic: piping a backup into it\n');
if (!hasRclone) process.stderr.write('SKIPPED for want of rclone: piping a backup into it\n');

let server: ReqlServer;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  server = await startReqlServer();
  await seedEvents(server, 500);
}, 60_000);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await server[Symbol.asyncDispose]();
});

/** A line of bash, as the page has it; `dtr-backup` is the program. */
function shell(line: string): Promise<Ended> {
  const env = {
    ...process.env,
    ...{ HOME: directory, RESTIC_REPOSITORY: join(directory, 'restic'), RESTIC_PASSWORD: 'x', TMPDIR: directory },
    FLAGS: directFlags(server).slice(1).join(' '),
  };
  const program = `set -o pipefail; dtr-backup() { '${process.execPath}' '${main}' "$@"; }; `;
  return new Command(['bash', '-c', program + line], { env, cwd: directory }).ended();
}

/** The job as one that is cut off in the middle. */
const failing = '{ dtr-backup backup $FLAGS | head -c 100000; false; }';

(hasRestic ? describe : describe.skip)('restic backup --stdin', () => {
  const restic = 'restic --no-cache --quiet';

  test('keeps the archive, which verify finds whole', async () => {
    expect((await shell(`${restic} init`)).exitCode).toBe(0);
    const stored = await shell(`dtr-backup backup $FLAGS | ${restic} backup --stdin --stdin-filename dtr.tar`);
    expect(stored).toMatchObject({ exitCode: 0 });
    const verified = await shell(`${restic} dump latest dtr.tar | dtr-backup verify -`);
    expect(verified.stdout.toString()).toMatch(/whole and unaltered: 500 documents/);
  }, 120_000);

  test('keeps what came of a job that fails as well: only pipefail and verify tell', async () => {
    const stored = await shell(`${failing} | ${restic} backup --stdin --stdin-filename dtr.tar`);
    expect(stored.exitCode).toBe(1);
    expect((await shell(`${restic} snapshots --json`)).stdout.toString().match(/"short_id"/g)).toHaveLength(2);
    expect((await shell(`${restic} dump latest dtr.tar | dtr-backup verify -`)).exitCode).toBe(9);
  }, 120_000);
});

(hasRclone ? describe : describe.skip)('rclone rcat', () => {
  test('keeps the archive, which verify finds whole', async () => {
    expect(await shell('dtr-backup backup $FLAGS | rclone rcat "$PWD/remote/b.tar"')).toMatchObject({ exitCode: 0 });
    const verified = await shell('rclone cat "$PWD/remote/b.tar" | dtr-backup verify -');
    expect(verified.stdout.toString()).toMatch(/whole and unaltered: 500 documents/);
  }, 120_000);

  test('keeps what came of a job that fails under the final name: only pipefail and verify tell', async () => {
    expect((await shell(`${failing} | rclone rcat "$PWD/remote/c.tar"`)).exitCode).toBe(1);
    expect(readdirSync(join(directory, 'remote'))).toContain('c.tar');
    expect((await shell('rclone cat "$PWD/remote/c.tar" | dtr-backup verify -')).exitCode).toBe(9);
  }, 120_000);
});
