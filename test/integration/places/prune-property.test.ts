// Whatever lies in a place and happens meanwhile: what prune removes was in its plan, ours and of the same replica.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { JobError } from '#src/base/errors.js';
import type { Decision, Keeps } from '#src/jobs/places/keep-policy.js';
import { summaryPathOf, type Summary } from '#src/model/summary.js';
import { scaled } from '../../support/scale.js';
import { SamplePlace, metadataSummary, replicaA, replicaB } from '../../support/store/archive-place.js';
import type { StoreCall } from '../../support/store/directory-store.js';
import { pruneSample } from '../../support/store/pruned-place.js';

const faults = [
  'none',
  'none',
  'none',
  'none',
  'replica',
  'size',
  'garbage',
  'name',
  'no summary',
  'no archive',
] as const;
const harms = ['fails', 'replaced', 'vanishes', 'lock is taken', 'other summary'] as const;

const anyFile = fc.record({
  day: fc.integer({ min: 1, max: 28 }),
  hour: fc.integer({ min: 0, max: 23 }),
  replicaId: fc.constantFrom(replicaA, replicaB),
  fault: fc.constantFrom(...faults),
});
const anyHarm = fc.record({ what: fc.constantFrom(...harms), atCall: fc.integer({ min: 0, max: 60 }) });
const anyCount = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined });
const anyKeeps: fc.Arbitrary<Keeps> = fc.record({
  last: anyCount,
  daily: anyCount,
  weekly: anyCount,
  monthly: anyCount,
});

type AnyFile = typeof anyFile extends fc.Arbitrary<infer T> ? T : never;

async function add(place: SamplePlace, { day, hour, replicaId, fault }: AnyFile, name: string): Promise<void> {
  const startedAt = new Date(Date.UTC(2026, 10, day, hour)).toISOString();
  const other = replicaId === replicaA ? replicaB : replicaA;
  const alterations: Partial<Record<AnyFile['fault'], Partial<Summary>>> = {
    replica: { replicaId: other },
    size: { stored: { bytes: 5, sha256: '0'.repeat(64) } },
    name: { name: '../../etc/passwd' },
  };
  await place.addMetadata(name, {
    ...{ startedAt, replicaId },
    alter: (summary) => ({ ...summary, ...alterations[fault] }),
    ...(fault === 'garbage' && { wrap: () => Buffer.alloc(3000, 'x') }),
  });
  if (fault === 'no summary') rmSync(place.path(summaryPathOf(name)));
  if (fault === 'no archive') rmSync(place.path(name));
}

test('every file that is removed was in the plan, of ours and of the same replica, and the newest stays', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyFile, { maxLength: 12 }),
      anyKeeps,
      fc.array(anyHarm, { maxLength: 2 }),
      async (files, keeps, harm) => {
        using place = new SamplePlace();
        for (const [index, file] of files.entries()) await add(place, file, `a${index}.tar`);
        let plan: readonly Decision[] = [];
        const removed: string[] = [];
        let calls = 0;
        const before = ({ method, path }: StoreCall): void => {
          calls += 1;
          const [due] = harm.filter(({ atCall }) => atCall === calls);
          const [victim = ''] = plan.filter(({ goes }) => goes).map(({ archive }) => archive.path);
          if (due?.what === 'fails') throw new JobError(8, 'the disk reports an error');
          // Not directly before a removal: that is after its last check.
          if (method !== 'remove' && victim !== '' && existsSync(victim)) {
            if (due?.what === 'replaced') writeFileSync(victim, 'another file');
            if (due?.what === 'vanishes') rmSync(victim);
            if (due?.what === 'other summary') writeFileSync(summaryPathOf(victim), JSON.stringify(metadataSummary()));
          }
          if (due?.what === 'lock is taken' && method !== 'remove') place.write('dtr-backup-prune.lock', '{}');
          if (method !== 'remove' || path.endsWith('.lock')) return;
          removed.push(path);
          // With eyes of its own: the plan in the archive names the replica.
          if (path.endsWith('.json') || !existsSync(path)) return;
          const { replicaId } = JSON.parse(readFileSync(summaryPathOf(path), 'utf8')) as Summary;
          expect(readFileSync(path, 'latin1')).toContain(`"replicaId": "${replicaId ?? ''}"`);
        };
        const show = (decisions: readonly Decision[]): Promise<void> => Promise.resolve(void (plan = decisions));
        await pruneSample(place, { keeps, before, show }).catch((error: unknown) =>
          expect(error).toBeInstanceOf(JobError),
        );
        const planned = plan.filter(({ goes }) => goes).flatMap(({ archive: { path } }) => [path, summaryPathOf(path)]);
        expect(removed.filter((path) => !planned.includes(path))).toEqual([]);
        for (const replicaId of [replicaA, replicaB]) {
          const counted = plan.filter(
            ({ archive: { state, summary } }) => state.kind === 'complete' && summary.replicaId === replicaId,
          );
          if (counted[0] !== undefined) expect(removed).not.toContain(counted[0].archive.path);
        }
      },
    ),
    { numRuns: scaled(60, 3000) },
  );
});
