// When a feed is taken to be quiet, and when to be followed closely.
import { expect, test } from '@jest/globals';
import { FeedPace } from '#src/jobs/feed-pace.js';

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
