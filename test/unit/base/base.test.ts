import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { Cleanup } from '#src/base/cleanup.js';
import { Ticker } from '#src/base/clock.js';
import { abortable, onAbort, pause, withTimeout } from '#src/base/deadline.js';
import { errorCode, errorText, failuresOf, JobError } from '#src/base/errors.js';
import { retry } from '#src/base/retry.js';
import { Secret } from '#src/base/secret.js';

const never = new Promise<never>(() => undefined);
const quiet = new AbortController().signal;

describe('a secret', () => {
  test('does not print', () => {
    const secret = new Secret('hunter2');
    const printed = [secret.toString(), JSON.stringify({ secret }), inspect({ secret }, { showHidden: true })].join();
    expect(printed).not.toContain('hunter2');
    expect(secret.reveal()).toBe('hunter2');
  });
});

describe('the text of an error', () => {
  test('is one line, with what its causes add', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED\n127.0.0.1:1'), { code: 'ECONNREFUSED' });
    const error = new Error('fetch failed', { cause });
    expect(errorText(error)).toBe('fetch failed: connect ECONNREFUSED 127.0.0.1:1');
    expect(errorCode(error)).toBe('ECONNREFUSED');
  });

  test('shows the parts of an aggregate', () => {
    expect(errorText(new AggregateError([new Error('v4'), new Error('v6')]))).toBe('v4, v6');
  });
});

test('what failed comes before what failed in the clean-ups after it', async () => {
  const failing = (error: Error): AsyncDisposable => ({
    [Symbol.asyncDispose]: () => Promise.reject(error),
  });
  const work = async (): Promise<void> => {
    await using outer = failing(new Error('outer clean-up'));
    await using inner = failing(new Error('inner clean-up'));
    expect(inner).not.toBe(outer);
    throw new JobError(9, 'the archive is invalid');
  };
  const thrown: unknown = await work().catch((error: unknown) => error);
  const [first, ...later] = failuresOf(thrown);
  expect(first).toMatchObject({ exitCode: 9 });
  expect(later.map(errorText)).toEqual(['inner clean-up', 'outer clean-up']);
  expect(failuresOf(first)).toEqual([first]);
});

describe('waiting', () => {
  test('ends when the signal aborts, with its reason', async () => {
    const controller = new AbortController();
    const waiting = abortable(never, controller.signal);
    controller.abort(new JobError(143, 'terminated'));
    await expect(waiting).rejects.toThrow('terminated');
    await expect(abortable(Promise.resolve(1), controller.signal)).rejects.toThrow('terminated');
  });

  test('ends after its time', async () => {
    await expect(withTimeout(never, 5, () => new Error('too late'))).rejects.toThrow('too late');
    await expect(withTimeout(Promise.resolve('in time'), 5000, () => new Error('too late'))).resolves.toBe('in time');
  });
});

describe('many waits on one signal', () => {
  test('have one listener, and all end when it aborts', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const isTransient = (): boolean => true;
    const away = (): Promise<never> => Promise.reject(new Error('away'));
    const waits = Array.from({ length: 20 }, () => [
      abortable(never, signal),
      withTimeout(never, 60_000, () => new Error('too late'), signal),
      pause(60_000, signal),
      retry(away, { deadlineMs: 60_000, firstPauseMs: 60_000, signal, isTransient }),
    ]).flat();
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    controller.abort(new JobError(143, 'terminated'));
    for (const wait of waits) await expect(wait).rejects.toThrow('terminated');
  });

  test('leave nothing behind when they end before', () => {
    const controller = new AbortController();
    let calls = 0;
    const takeBack = onAbort(controller.signal, () => (calls += 1));
    onAbort(controller.signal, () => (calls += 10));
    takeBack();
    controller.abort();
    onAbort(controller.signal, () => (calls += 100));
    expect(calls).toBe(110);
  });
});

describe('trying again', () => {
  const options = { deadlineMs: 2000, firstPauseMs: 1, signal: quiet, isTransient: () => true };

  test('gives the first success and reports the failures before it', async () => {
    let tries = 0;
    const reported: number[] = [];
    const attempt = (): Promise<string> => {
      tries += 1;
      return tries < 3 ? Promise.reject(new TypeError('away')) : Promise.resolve('here');
    };
    await expect(retry(attempt, { ...options, onRetry: (_error, n) => reported.push(n) })).resolves.toBe('here');
    expect(reported).toEqual([1, 2]);
  });

  test('ends at the deadline with the last failure, which is not reported as tried again', async () => {
    const failures: Error[] = [];
    const reported: unknown[] = [];
    const attempt = (): Promise<never> => {
      const failure = new Error(`away ${failures.length}`);
      failures.push(failure);
      return Promise.reject(failure);
    };
    const trying = retry(attempt, { ...options, deadlineMs: 20, onRetry: (error) => reported.push(error) });
    const last: unknown = await trying.catch((error: unknown) => error);
    expect(last).toBe(failures.at(-1));
    expect(reported).toEqual(failures.slice(0, -1));
    expect(failures.length).toBeGreaterThan(1);
  });

  test('waits as long as a failure asks for, but not beyond the deadline', async () => {
    let tries = 0;
    const startMs = performance.now();
    const once = (): Promise<string> =>
      (tries += 1) < 2 ? Promise.reject(new Error('busy')) : Promise.resolve('here');
    await expect(retry(once, { ...options, minPauseMs: () => 50, maxPauseMs: 5 })).resolves.toBe('here');
    expect(performance.now() - startMs).toBeGreaterThan(48);
    const never = (): Promise<never> => Promise.reject(new Error('busy'));
    await expect(retry(never, { ...options, deadlineMs: 50, minPauseMs: () => 60_000 })).rejects.toThrow('busy');
    expect(performance.now() - startMs).toBeLessThan(1500);
  });

  test('waits longer each time, up to the longest pause', async () => {
    const times: number[] = [];
    const attempt = (): Promise<string> => {
      times.push(performance.now());
      return times.length < 5 ? Promise.reject(new Error('away')) : Promise.resolve('here');
    };
    await retry(attempt, { ...options, firstPauseMs: 20, maxPauseMs: 40 });
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    // A timer may come up to 1 ms early.
    for (const [index, atLeast] of [20, 30, 40, 40].entries()) expect(pauses[index]).toBeGreaterThan(atLeast - 1.5);
    expect(times).toHaveLength(5);
  });

  test('tries nothing when the signal has aborted before', async () => {
    const signal = AbortSignal.abort(new JobError(143, 'terminated'));
    let tries = 0;
    const attempt = (): Promise<number> => Promise.resolve((tries += 1));
    await expect(retry(attempt, { ...options, signal })).rejects.toThrow('terminated');
    expect(tries).toBe(0);
  });

  test('leaves room for several tries in a short deadline', async () => {
    let tries = 0;
    const attempt = () => Promise.reject(new Error(`away ${++tries}`));
    const patience = { deadlineMs: 300, signal: quiet, isTransient: () => true };
    await expect(retry(attempt, patience)).rejects.toThrow('away');
    expect(tries).toBeGreaterThan(3);
  });

  test('does not repeat what a repeat cannot help', async () => {
    let tries = 0;
    const attempt = () => Promise.reject(new Error(`refused ${++tries}`));
    await expect(retry(attempt, { ...options, isTransient: () => false })).rejects.toThrow('refused 1');
  });

  test('ends when the signal aborts, in the middle of a pause', async () => {
    const controller = new AbortController();
    const trying = retry(() => Promise.reject(new Error('away')), {
      ...options,
      firstPauseMs: 60_000,
      deadlineMs: 120_000,
      signal: controller.signal,
      onRetry: () => setImmediate(() => controller.abort(new JobError(130, 'interrupted'))),
    });
    await expect(trying).rejects.toThrow('interrupted');
  });
});

test('a line of progress is due every five seconds, and says how long the work has taken', () => {
  let nowMs = 1000;
  const ticker = new Ticker({ now: () => new Date(nowMs), monotonicMs: () => nowMs });
  const shown: number[] = [];
  for (; nowMs <= 17_000; nowMs += 500) ticker.tick((seconds) => shown.push(seconds));
  expect(shown).toEqual([5, 10, 15]);
});

test('what a failed opening has opened is closed in reverse order, and only then', async () => {
  const closed: string[] = [];
  const resource = (name: string): AsyncDisposable => ({
    [Symbol.asyncDispose]: () => Promise.resolve(void closed.push(name)),
  });
  const open = (failure?: Error) => (cleanup: Cleanup) => {
    for (const name of ['session', 'network']) cleanup.use(resource(name));
    return failure === undefined ? Promise.resolve(cleanup) : Promise.reject(failure);
  };
  await expect(Cleanup.over(open(new Error('refused')))).rejects.toThrow('refused');
  expect(closed).toEqual(['network', 'session']);
  await using cleanup = await Cleanup.over(open());
  expect(closed).toHaveLength(2);
  expect(cleanup).toBeInstanceOf(Cleanup);
});
