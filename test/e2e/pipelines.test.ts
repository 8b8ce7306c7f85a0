// The examples in docs/pipelines, run as they stand there.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { output, shell, world } from './environment.js';

const { image, replicaId, ucp } = world;
const env = { DTR_BACKUP_IMAGE: image };
const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'dtr-backup-e2e-'));

describe('backup.sh', () => {
  const call = (file: string): string => `docs/pipelines/backup.sh ${ucp} admin ${replicaId} ${file}`;

  test('keeps a proved file, for its owner alone', async () => {
    const directory = newDirectory();
    const { exitCode, stdout } = await shell(call(`${directory}/b.tar`), env).ended();
    expect(exitCode).toBe(0);
    expect(stdout.toString()).toContain('whole');
    expect(readdirSync(directory)).toEqual(['b.tar']);
    expect(await output(`stat --format %a ${directory}/b.tar`)).toBe('600');
  });

  test('keeps nothing where the job fails, and gives its exit code', async () => {
    const directory = newDirectory();
    const { exitCode } = await shell(call(`${directory}/b.tar`), { ...env, UCP_PASSWORD: 'wrong' }).ended();
    expect(exitCode).toBe(3);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('keeps nothing where Docker drops the end of stdout', async () => {
    const directory = newDirectory();
    // A docker that does what the versions named in docs/pipelines do: it loses the end, and its exit code is that of the job.
    const lossy = `docker() { command docker "$@" > whole; code=$?; case "$*" in *" backup "*) head -c -70000 whole;; *) cat whole;; esac; return $code; }; export -f docker`;
    const { exitCode } = await shell(`cd ${directory}; ${lossy}; ${process.cwd()}/${call('b.tar')}`, env).ended();
    expect(exitCode).toBe(9);
    expect(existsSync(join(directory, 'b.tar'))).toBe(false);
  });
});

interface GitlabJob {
  readonly variables: Readonly<Record<string, string>>;
  readonly script: readonly string[];
}

describe('gitlab-ci.yml', () => {
  const document = parse(readFileSync('docs/pipelines/gitlab-ci.yml', 'utf8')) as Record<string, GitlabJob>;
  const job = document['dtr-metadata-backup'];
  // GitLab's runner puts a job's lines into one bash with these options.
  const script = ['set -eo pipefail', ...(job?.script ?? [])].join('\n');
  const variables = { ...job?.variables, ...env, UCP_URL: ucp, DTR_REPLICA_ID: replicaId };

  test('ends with 0 and the artifact', async () => {
    const directory = newDirectory();
    const { exitCode, stdout } = await shell(`cd ${directory}\n${script}`, variables).ended();
    expect(exitCode).toBe(0);
    expect(stdout.toString()).toMatch(/repositories/);
    expect(readdirSync(directory)).toEqual(['dtr-metadata-backup.tar']);
  });

  test('fails where the job does', async () => {
    const line = `cd ${newDirectory()}\n${script}`;
    expect((await shell(line, { ...variables, UCP_PASSWORD: 'wrong' }).ended()).exitCode).toBe(3);
  });
});

describe('swarm-service.sh', () => {
  // Swarm keeps the containers of ended tasks, and they their volumes, also when their service is gone.
  const removeVolume = async (): Promise<void> => {
    await output('docker ps --all --quiet --filter volume=dtr-backups | xargs --no-run-if-empty docker rm --force');
    await output('docker volume rm --force dtr-backups');
  };
  beforeAll(removeVolume);
  afterAll(removeVolume);

  const run = (password: string): ReturnType<typeof shell> =>
    shell(
      `printf %s "$SECRET" | docker secret create ucp_password - > /dev/null
       docs/pipelines/swarm-service.sh ${ucp} admin ${replicaId}; code=$?
       docker secret rm ucp_password > /dev/null; exit $code`,
      { ...env, SECRET: password },
    );

  test('completes, joins nothing, and leaves a proved file in the volume', async () => {
    const { exitCode, stdout, stderr } = await run(world.ucpPassword).ended();
    expect(`${exitCode ?? ''} ${stdout.toString()}`).toMatch(/^0 [^]*Complete/);
    const logs = `${stdout.toString()}${stderr}`;
    expect(logs).toContain('Already on overlay network dtr-ol');
    expect(logs).not.toMatch(/Joined|Left/);
    const volume = '--mount type=volume,source=dtr-backups,target=/backups';
    const files = await output(`docker run --rm ${volume} --entrypoint ls ${image} /backups`);
    const [archive = '', ...others] = files.split('\n');
    expect(archive).toMatch(new RegExp(`^dtr-2\\.9\\.4-${replicaId}-\\S+\\.tar$`));
    expect(others).toEqual([`${archive}.json`]);
    expect(await output(`docker run --rm ${volume} ${image} verify /backups/${archive}`)).toContain('whole');
  });

  test('fails with the exit code in what Swarm says', async () => {
    const { exitCode, stdout } = await run('wrong').ended();
    expect(exitCode).toBe(1);
    expect(stdout.toString()).toMatch(/Failed.*non-zero exit \(3\)/);
  });
});
