import { expect, test } from '@jest/globals';
import { systemClock } from '#src/base/clock.js';
import { Pacing } from '#src/jobs/pacing.js';

const nothing = { count: 0, bytes: 0 };
const { signal } = new AbortController();

async function elapsedMs(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

test('what was read is paid for in time, by documents or by bytes', async () => {
  const byDocuments = new Pacing({ unit: 'documents', perSecond: 1000 }, { clock: systemClock, signal });
  const byBytes = new Pacing({ unit: 'bytes', perSecond: 1e6 }, { clock: systemClock, signal });
  const pay = async (pacing: Pacing): Promise<void> => {
    for (let batch = 0; batch < 4; batch += 1) await pacing.pay(nothing, { count: 50, bytes: 50_000 });
  };
  expect(await elapsedMs(() => pay(byDocuments))).toBeGreaterThanOrEqual(199);
  expect(await elapsedMs(() => pay(byBytes))).toBeGreaterThanOrEqual(199);
});

test('without a limit nothing waits', async () => {
  const pacing = new Pacing(undefined, { clock: systemClock, signal });
  expect(await elapsedMs(() => pacing.pay(nothing, { count: 1e9, bytes: 1e12 }))).toBeLessThan(100);
});

test('a run that is told to stop does not wait to be paid', async () => {
  const reason = new Error('terminated');
  const pacing = new Pacing(
    { unit: 'documents', perSecond: 1 },
    { clock: systemClock, signal: AbortSignal.abort(reason) },
  );
  await expect(pacing.pay(nothing, { count: 1000, bytes: 0 })).rejects.toBe(reason);
});
