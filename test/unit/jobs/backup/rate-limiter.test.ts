// How fast a run reads, and when a feed is taken to be quiet, or to be followed closely.
import { expect, test } from '@jest/globals';
import { systemClock } from '#src/base/clock.js';
import { FeedLag } from '#src/jobs/backup/feed-lag.js';
import { RateLimiter } from '#src/jobs/backup/rate-limiter.js';

const nothing = { count: 0, bytes: 0 };
const { signal } = new AbortController();

async function elapsedMs(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

test('limits the rate, in documents or in bytes', async () => {
  const byDocuments = new RateLimiter({ unit: 'documents', perSecond: 1000 }, { clock: systemClock, signal });
  const byBytes = new RateLimiter({ unit: 'bytes', perSecond: 1e6 }, { clock: systemClock, signal });
  const readBatches = async (rateLimiter: RateLimiter): Promise<void> => {
    for (let batch = 0; batch < 4; batch += 1) await rateLimiter.wait(nothing, { count: 50, bytes: 50_000 });
  };
  expect(await elapsedMs(() => readBatches(byDocuments))).toBeGreaterThanOrEqual(199);
  expect(await elapsedMs(() => readBatches(byBytes))).toBeGreaterThanOrEqual(199);
});

test('without a limit nothing waits', async () => {
  const rateLimiter = new RateLimiter(undefined, { clock: systemClock, signal });
  expect(await elapsedMs(() => rateLimiter.wait(nothing, { count: 1e9, bytes: 1e12 }))).toBeLessThan(100);
});

test('an abort ends the wait', async () => {
  const reason = new Error('terminated');
  const rateLimiter = new RateLimiter(
    { unit: 'documents', perSecond: 1 },
    { clock: systemClock, signal: AbortSignal.abort(reason) },
  );
  await expect(rateLimiter.wait(nothing, { count: 1000, bytes: 0 })).rejects.toBe(reason);
});

let nowMs = 0;
const clock = { now: () => new Date(nowMs), monotonicMs: () => nowMs };
const batch = (bytes: number): [{ kind: 'changes'; lines: Buffer }] => [
  { kind: 'changes', lines: Buffer.alloc(bytes) },
];

test('a feed is quiet while it is waited for, not while its batch is being written', () => {
  const lag = new FeedLag(clock);
  lag.wait();
  nowMs += 500;
  lag.restart();
  nowMs += 700;
  expect(lag.quietMs).toBe(700);
  lag.take(batch(1));
  nowMs += 900;
  expect(lag.quietMs).toBe(0);
});

test('a feed has caught up with a small batch that was asked for after the restart, which the first was not', () => {
  const lag = new FeedLag(clock);
  lag.restart();
  lag.take(batch(10));
  expect(lag.hasCaughtUp).toBe(false);
  lag.take(batch(1_000_000));
  expect(lag.hasCaughtUp).toBe(false);
  lag.take(batch(10));
  expect(lag.hasCaughtUp).toBe(true);
  lag.restart();
  expect(lag.hasCaughtUp).toBe(false);
});
