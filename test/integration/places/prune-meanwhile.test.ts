// What happens to a place while `prune` works on it: backups, failures, and the end of the run itself.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { JobError } from '#src/base/errors.js';
import { runProgram } from '../../support/program.js';
import { SamplePlace } from '../../support/store/archive-place.js';
import { pruneSample } from '../../support/store/pruned-place.js';

let place: SamplePlace;
beforeEach(() => void (place = new SamplePlace()));
afterEach(() => place[Symbol.dispose]());

/** `day20.tar`, of the 20th. */
async function addDay(day: number, startedAt = `2026-11-${day}T10:00:00.000Z`): Promise<void> {
  await place.addMetadata(`day${day}.tar`, { startedAt });
}

const pairs = (...names: string[]): string[] => names.flatMap((name) => [name, `${name}.json`]);

describe('what happens meanwhile', () => {
  test('a backup that appears is not touched, also while its summary is not there yet', async () => {
    for (const day of [20, 21]) await addDay(day);
    let step = 0;
    const before = async ({ method }: { method: string }): Promise<void> => {
      if (method !== 'openInput' && method !== 'remove') return;
      step += 1;
      await addDay(21 + step);
      writeFileSync(place.path('unfinished.tar'), 'x');
    };
    expect((await pruneSample(place, { before })).removed).toEqual(pairs('day20.tar'));
    expect(place.names()).toEqual(expect.arrayContaining(pairs('day21.tar', 'day22.tar', 'day23.tar')));
    expect(place.names()).toContain('unfinished.tar');
  });

  test.each([
    ['the archive and its summary', () => addDay(20, '2026-11-25T00:00:00.000Z')],
    [
      'the archive alone, in the same size',
      () => writeFileSync(place.path('day20.tar'), Buffer.alloc(readFileSync(place.path('day20.tar')).length)),
    ],
    ['the archive alone, by a longer one', () => appendFileSync(place.path('day20.tar'), 'x')],
    ['the archive alone', () => writeFileSync(place.path('day20.tar'), 'x')],
    ['the summary alone', () => writeFileSync(place.path('day20.tar.json'), '{}')],
  ])('%s replaced after the plan stay, which is exit code 8', async (_what, replace: () => unknown) => {
    for (const day of [20, 21]) await addDay(day);
    const show = async (): Promise<void> => {
      await replace();
    };
    const { removed, outcome } = await pruneSample(place, { show });
    expect(removed).toEqual([]);
    expect(outcome.failure?.error).toMatchObject({ exitCode: 8 });
    expect(place.names()).toEqual(pairs('day20.tar', 'day21.tar'));
  });

  test('an archive that another has removed is no failure', async () => {
    for (const day of [20, 21]) await addDay(day);
    const show = async (): Promise<void> => {
      await pruneSample(place, { breaksLock: true });
    };
    await expect(pruneSample(place, { show })).resolves.toMatchObject({ removed: [] });
    expect(place.names()).toEqual(pairs('day21.tar'));
  });

  test.each(['day20.tar', 'day20.tar.json'])('a failure to remove %s ends with 8 after the others', async (name) => {
    for (const day of [19, 20, 21, 22]) await addDay(day);
    const before = ({ method, path }: { method: string; path: string }): void => {
      if (method === 'remove' && path.endsWith(name)) throw new JobError(8, 'permission denied');
    };
    const { removed, outcome } = await pruneSample(place, { before });
    const isArchive = name === 'day20.tar';
    expect(removed).toEqual([...pairs('day21.tar'), ...(isArchive ? [] : ['day20.tar']), ...pairs('day19.tar')]);
    expect(outcome.failure?.error).toMatchObject({
      exitCode: 8,
      message: '1 of 3 archives that were to go could not be removed',
    });
    expect((await pruneSample(place)).removed).toEqual(isArchive ? pairs('day20.tar') : ['day20.tar.json']);
  });

  test('killed between two removals, it leaves no archive that counts, and the next one ends the work', async () => {
    for (const day of [20, 21]) await addDay(day);
    const before = ({ method, path }: { method: string; path: string }): void => {
      if (method === 'remove' && path.endsWith('.tar.json')) throw new Error('killed');
    };
    const killed = await pruneSample(place, { before });
    expect(killed.outcome.failure).toMatchObject({ error: { message: 'killed' } });
    expect(place.names()).toEqual(['day20.tar.json', ...pairs('day21.tar')]);
    const { stdout } = await runProgram(['list', place.directory]);
    expect(stdout.toString()).toMatch(/day20\.tar +removed by a prune that did not end/);
    const next = await pruneSample(place);
    expect(next.removed).toEqual(['day20.tar.json']);
    expect(next.outcome.failure).toBeUndefined();
  });

  test('killed after the mark, it leaves a whole archive, on which the next one decides', async () => {
    for (const day of [20, 21]) await addDay(day);
    const before = ({ method }: { method: string }): void => {
      if (method === 'remove') throw new Error('killed');
    };
    await pruneSample(place, { before });
    expect((await pruneSample(place, { keeps: { last: 2 }, breaksLock: true })).removed).toEqual([]);
    expect((await pruneSample(place)).removed).toEqual(pairs('day20.tar'));
  });

  test('a signal ends it after the archive in progress, and releases the lock', async () => {
    for (const day of [20, 21, 22]) await addDay(day);
    const controller = new AbortController();
    const stopped = new JobError(143, 'terminated');
    const before = ({ method }: { method: string }): void => {
      if (method === 'remove') controller.abort(stopped);
    };
    const { removed, outcome } = await pruneSample(place, { before, signal: controller.signal });
    expect(removed).toEqual(pairs('day21.tar'));
    expect(outcome.failure).toEqual({ error: stopped });
    expect(place.names()).toEqual(pairs('day20.tar', 'day22.tar'));
  });

  test('an archive that cannot be read stays, and is an error at the end', async () => {
    for (const day of [20, 21, 22]) await addDay(day);
    const error = new JobError(2, 'cannot read day20.tar');
    const before = ({ method, path }: { method: string; path: string }): void => {
      if (method === 'openInput' && path.endsWith('day20.tar')) throw error;
    };
    const { removed, outcome } = await pruneSample(place, { before });
    expect(removed).toEqual(pairs('day21.tar'));
    expect(outcome.failure).toEqual({ error });
  });
});
