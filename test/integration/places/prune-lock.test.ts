// Two prunes of one place, and prunes that are stopped or killed.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { rmSync } from 'node:fs';
import { Program, runProgram } from '../../support/program.js';
import { SamplePlace, metadataSummary } from '../../support/store/archive-place.js';
import { pruneSample } from '../../support/store/pruned-place.js';

const lockName = 'dtr-backup-prune.lock';
const held = JSON.stringify({ owner: 'backup-host', startedAt: '2026-11-26T01:02:03.000Z', token: 'x' });

let place: SamplePlace;
beforeEach(async () => {
  place = new SamplePlace();
  for (const day of [20, 21, 22])
    await place.addMetadata(`day${day}.tar`, { startedAt: `2026-11-${day}T10:00:00.000Z` });
});
afterEach(() => place[Symbol.dispose]());

describe('a prune beside another', () => {
  test('ends with 10, and names the holder and the time', async () => {
    place.write(lockName, held);
    const { exitCode, stderr } = await runProgram(['prune', place.directory, '--keep-last', '1']);
    expect(exitCode).toBe(10);
    expect(stderr).toContain('backup-host, which began at 2026-11-26T01:02:03.000Z');
    expect(stderr).toContain('--break-lock');
    expect(place.names()).toHaveLength(7);
  });

  test.each(['', '[]', '{"owner":1}', 'x'.repeat(2 * 1024 * 1024)])(
    'takes no lock whose file is something else, but with --break-lock',
    async (text) => {
      place.write(lockName, text);
      await expect(pruneSample(place)).rejects.toMatchObject({ exitCode: text.length > 1000 ? 2 : 10 });
      expect((await pruneSample(place, { breaksLock: true })).removed).toHaveLength(4);
      expect(place.names()).not.toContain(lockName);
    },
  );

  test('takes over its lock with --break-lock, and says whose it was', async () => {
    place.write(lockName, held);
    const { exitCode, stderr } = await runProgram(['prune', place.directory, '--keep-last', '1', '--break-lock']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('Breaking the lock');
    expect(stderr).toContain('backup-host');
    expect(place.names()).toEqual(['day22.tar', 'day22.tar.json']);
  });

  test('in one process: one works, the other ends with 10', async () => {
    const outcomes = await Promise.allSettled([pruneSample(place), pruneSample(place), pruneSample(place)]);
    const ended = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.removed.length] : []));
    expect(ended).toEqual([4]);
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(refused).toEqual([expect.objectContaining({ exitCode: 10 }), expect.objectContaining({ exitCode: 10 })]);
    expect(place.names()).toEqual(['day22.tar', 'day22.tar.json']);
  });

  test('in two processes: what is left is the same as after one', async () => {
    const args = ['prune', place.directory, '--keep-last', '1'];
    const ended = await Promise.all([new Program(args).ended(), new Program(args).ended()]);
    const codes = ended.map(({ exitCode }) => exitCode);
    expect(codes).toContain(0);
    // They may also run one after the other.
    expect(codes.every((code) => code === 0 || code === 10)).toBe(true);
    expect(place.names()).toEqual(['day22.tar', 'day22.tar.json']);
  });

  test('that has taken its lock ends this one before its next removal', async () => {
    const before = ({ method, path }: { method: string; path: string }): void => {
      if (method === 'remove' && path.endsWith('day21.tar')) place.write(lockName, held);
    };
    const { removed, outcome } = await pruneSample(place, { before });
    expect(removed).toEqual(['day21.tar', 'day21.tar.json']);
    expect(outcome.failure?.error).toMatchObject({ exitCode: 10, message: expect.stringContaining('backup-host') });
    expect(place.names()).toContain(lockName);
  });

  test('is one where the lock has vanished', async () => {
    const show = (): Promise<void> => {
      rmSync(place.path(lockName));
      return Promise.resolve();
    };
    const { removed, outcome } = await pruneSample(place, { show });
    expect(removed).toEqual([]);
    expect(outcome.failure?.error).toMatchObject({ exitCode: 10, message: expect.stringContaining('nobody') });
  });
});

test('a lock that cannot be released is logged, and is no failure of the prune', async () => {
  const before = ({ method, path }: { method: string; path: string }): void => {
    if (method === 'remove' && path.endsWith(lockName)) throw new Error('gone away');
  };
  const { removed, log } = await pruneSample(place, { before });
  expect(removed).toHaveLength(4);
  expect(log.at(-1)).toMatch(/^WARN The lock .* stays: gone away; --break-lock/);
});

test('SIGTERM while nobody reads the plan ends it with 143, nothing removed and the lock released', async () => {
  // Far more than a pipe and the buffers at both its ends hold: each row is as wide as the longest cells.
  for (let number = 0; number < 1000; number += 1) {
    const name = `${number}.tar`;
    place.write(`${name}.json`, JSON.stringify(metadataSummary({ name, dtrVersion: 'long'.repeat(240) })));
  }
  const before = place.names();
  const program = new Program(['prune', place.directory, '--keep-last', '1', '--debug']);
  await program.readThenStall(100);
  expect(place.names()).toContain(lockName);
  program.child.kill('SIGTERM');
  expect(await program.exitCode()).toBe(143);
  expect(place.names()).toEqual(before);
});
