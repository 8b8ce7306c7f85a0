// What the command `prune` prints.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { runProgram } from '../../support/program.js';
import { SamplePlace } from '../../support/store/archive-place.js';

let place: SamplePlace;
beforeEach(() => void (place = new SamplePlace()));
afterEach(() => place[Symbol.dispose]());

/** `day20.tar`, of the 20th. */
async function addDay(day: number, startedAt = `2026-11-${day}T10:00:00.000Z`): Promise<void> {
  await place.addMetadata(`day${day}.tar`, { startedAt });
}

const pairs = (...names: string[]): string[] => names.flatMap((name) => [name, `${name}.json`]);

test('prints the plan with its reasons, then exactly what was removed', async () => {
  for (const day of [20, 21, 22]) await addDay(day);
  const { exitCode, stdout } = await runProgram(['prune', place.directory, '--keep-last', '1', '--keep-daily', '2']);
  expect(exitCode).toBe(0);
  const lines = stdout.toString().trimEnd().split('\n');
  expect(lines[1]).toMatch(/^stays +2026-11-22T10:00:00Z +\S+ .*day22\.tar +the newest, last 1, daily 2026-11-22$/);
  expect(lines[2]).toMatch(/^stays .*day21\.tar +daily 2026-11-21$/);
  expect(lines[3]).toMatch(/^goes .*day20\.tar$/);
  expect(lines[5]).toMatch(/^1 of 3 archives in .* go, \d/);
  const [archive, summary] = pairs(place.path('day20.tar'));
  expect(lines.slice(6)).toEqual(['', `removed  ${archive}`, `removed  ${summary}`]);
  expect(place.names()).toEqual(pairs('day21.tar', 'day22.tar'));
});

test('prints one JSON document', async () => {
  for (const day of [20, 21]) await addDay(day);
  const { stdout } = await runProgram(['prune', place.directory, '--keep-last', '1', '--json']);
  expect(JSON.parse(stdout.toString())).toMatchObject({
    isDryRun: false,
    archives: [
      { path: place.path('day21.tar'), goes: false, reasons: ['the newest', 'last 1'] },
      { path: place.path('day20.tar'), goes: true, removed: pairs(place.path('day20.tar')) },
    ],
  });
  const dry = await runProgram(['prune', place.directory, '--keep-last', '1', '--dry-run', '--json']);
  expect(JSON.parse(dry.stdout.toString())).toMatchObject({ isDryRun: true, archives: [{ goes: false }] });
});

test('in a dry run says what would go', async () => {
  for (const day of [20, 21]) await addDay(day);
  const { exitCode, stdout } = await runProgram(['prune', place.directory, '--keep-last', '1', '--dry-run']);
  expect([exitCode, stdout.toString()]).toEqual([
    0,
    expect.stringMatching(/would go .*day20\.tar\n\n1 of 2 archives in .* would go/),
  ]);
  expect(existsSync(place.path('day20.tar'))).toBe(true);
});
