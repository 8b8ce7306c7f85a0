// docs/pipelines/complete-backup.sh, run as it stands there: images, then metadata, each proved.
import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { output, shell, world } from './environment.js';

const { image, replicaId, ucp } = world;
const env = { DTR_BACKUP_IMAGE: image };
const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'dtr-backup-e2e-'));
const call = (directory: string): string => `docs/pipelines/complete-backup.sh ${ucp} admin ${replicaId} ${directory}`;

describe('complete-backup.sh', () => {
  test('keeps two proved files of one replica, for their owner alone, images read first', async () => {
    const directory = newDirectory();
    const { exitCode, stdout, stderr } = await shell(call(directory), env).ended();
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.toString()).toMatch(/^dtr-registry-\w+\/: whole.*\ndtr-backup-v2\.9\.4-online\/: whole.*\n$/);
    expect(readdirSync(directory)).toEqual(['dtr-image-backup.tar', 'dtr-metadata-backup.tar']);
    expect(await output(`stat --format %a ${directory}/*`)).toBe('600\n600');
    const show = (name: string): string => `docker run -i --rm ${image} inspect --json - < ${directory}/${name}`;
    for (const name of readdirSync(directory))
      expect(await output(show(name))).toContain(`"replicaId": "${replicaId}"`);
  });

  test('keeps neither where the second job fails', async () => {
    const directory = newDirectory();
    const fail = `docker() { case "$*" in *" backup "*) return 7;; *) command docker "$@";; esac; }; export -f docker`;
    const { exitCode } = await shell(`${fail}; ${call(directory)}`, env).ended();
    expect(exitCode).toBe(7);
    expect(readdirSync(directory)).toEqual([]);
  });
});
