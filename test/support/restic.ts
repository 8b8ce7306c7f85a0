/** Debian's restic, as the reference for which archives stay. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Keeps } from '#src/jobs/places/keep-policy.js';

/** A repository with one snapshot of an empty directory for each date. */
export interface Restic extends Disposable {
  /** From 0.16 on the oldest snapshot stays as well where a keep is not used up. */
  readonly keepsOldest: boolean;
  /** The dates of the snapshots that `restic forget` with these keeps would keep. */
  readonly kept: (keeps: Keeps) => readonly string[];
}

/** Undefined, and said aloud, where restic is missing. */
export function findRestic(dates: readonly string[]): Restic | undefined {
  const [, minor = ''] = /^restic 0\.(\d+)/.exec(String(spawnSync('restic', ['version']).stdout)) ?? [];
  if (minor === '') {
    process.stderr.write('SKIPPED for want of restic: the comparison of keeps with restic forget\n');
    return undefined;
  }
  const home = mkdtempSync(join(tmpdir(), 'restic-'));
  const empty = join(home, 'empty');
  mkdirSync(empty);
  const env = { PATH: process.env.PATH, HOME: home, TZ: 'UTC', RESTIC_PASSWORD: 'any' };
  const run = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync('restic', ['-r', join(home, 'repository'), '--no-cache', ...args], {
      env,
    });
    if (status !== 0) throw new Error(`restic ${args.join(' ')}: ${stderr.toString()}`);
    return stdout.toString();
  };
  run('init');
  for (const date of dates) {
    const time = date.replace('T', ' ').replace(/\.\d+Z$|Z$/, '');
    run('backup', '--quiet', '--time', time, '--host', 'h', '--tag', 't', empty);
  }
  return {
    keepsOldest: Number(minor) >= 16,
    kept(keeps) {
      const flags = Object.entries(keeps).flatMap(([name, count]) => [`--keep-${name}`, String(count)]);
      const [group] = JSON.parse(run('forget', '--dry-run', '--json', ...flags)) as { keep: { time: string }[] }[];
      return (group?.keep ?? []).map(({ time }) => new Date(time).toISOString());
    },
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}
