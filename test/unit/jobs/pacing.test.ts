// How fast a run reads, and when a feed is taken to be quiet, or to be followed closely.
import { expect, test } from '@jest/globals';
import { systemClock } from '#src/base/clock.js';
import { FeedPace } from '#src/jobs/feed-pace.js';
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

let nowMs = 0;
const clock = { now: () => new Date(nowMs), monotonicMs: () => nowMs };
const batch = (bytes: number): [{ kind: 'changes'; lines: Buffer }] => [
  { kind: 'changes', lines: Buffer.alloc(bytes) },
];

test('a feed is quiet while it is waited for, not while its batch is being written', () => {
  const pace = new FeedPace(clock);
  pace.wait();
  nowMs += 500;
  pace.restart();
  nowMs += 700;
  expect(pace.quietMs).toBe(700);
  pace.take(batch(1));
  nowMs += 900;
  expect(pace.quietMs).toBe(0);
});

test('a feed has caught up with a small batch that was asked for after the restart, which the first was not', () => {
  const pace = new FeedPace(clock);
  pace.restart();
  pace.take(batch(10));
  expect(pace.hasCaughtUp).toBe(false);
  pace.take(batch(1_000_000));
  expect(pace.hasCaughtUp).toBe(false);
  pace.take(batch(10));
  expect(pace.hasCaughtUp).toBe(true);
  pace.restart();
  expect(pace.hasCaughtUp).toBe(false);
});
