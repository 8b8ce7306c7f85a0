import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { abortable, onAbort, pause, withTimeout } from '#src/base/deadline.js';
import { errorCode, errorText, failuresOf, JobError } from '#src/base/errors.js';
import { createLog } from '#src/base/log.js';
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

  test('gives the first success and tells of the failures before', async () => {
    let tries = 0;
    const told: number[] = [];
    const attempt = (): Promise<string> => {
      tries += 1;
      return tries < 3 ? Promise.reject(new TypeError('away')) : Promise.resolve('here');
    };
    await expect(retry(attempt, { ...options, onRetry: (_error, n) => told.push(n) })).resolves.toBe('here');
    expect(told).toEqual([1, 2]);
  });

  test('ends at the deadline with the last failure itself, of which nobody is told that it is tried again', async () => {
    const failures: Error[] = [];
    const told: unknown[] = [];
    const attempt = (): Promise<never> => {
      const failure = new Error(`away ${failures.length}`);
      failures.push(failure);
      return Promise.reject(failure);
    };
    const trying = retry(attempt, { ...options, deadlineMs: 20, onRetry: (error) => told.push(error) });
    const last: unknown = await trying.catch((error: unknown) => error);
    expect(last).toBe(failures.at(-1));
    expect(told).toEqual(failures.slice(0, -1));
    expect(failures.length).toBeGreaterThan(1);
  });

  test('waits longer each time, up to the longest pause', async () => {
    const times: number[] = [];
    const attempt = (): Promise<string> => {
      times.push(performance.now());
      return times.length < 5 ? Promise.reject(new Error('away')) : Promise.resolve('here');
    };
    await retry(attempt, { ...options, firstPauseMs: 20, longestPauseMs: 40 });
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

describe('the log', () => {
  function logged(format: 'text' | 'json', isTerminal: boolean, debug = false): string {
    let text = '';
    let ms = 0;
    const clock = { now: () => new Date(0), monotonicMs: () => (ms += 1000) };
    const log = createLog({ format, debug, isTerminal, clock, write: (line) => (text += line) });
    log.info('Connected to RethinkDB 2.4.4');
    log.debug('detail');
    log.progress('10 of 20');
    log.progress('20 of 20');
    log.warn('careful');
    log.fatal('no');
    return text;
  }

  test('looks like the original', () => {
    expect(logged('text', false)).toBe(
      'INFO[0001] Connected to RethinkDB 2.4.4\nINFO[0002] 10 of 20\nINFO[0003] 20 of 20\nWARN[0004] careful\nFATA[0005] no\n',
    );
    expect(logged('text', false, true)).toContain('DEBU[0002] detail\n');
  });

  test('redraws progress in place on a terminal only', () => {
    expect(logged('text', true)).toContain(
      'INFO[0002] 10 of 20\r\u001b[KINFO[0003] 20 of 20\r\u001b[KWARN[0004] careful\n',
    );
  });

  test('is JSON lines for programs', () => {
    const lines = logged('json', false).trim().split('\n');
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: '1970-01-01T00:00:00.000Z',
      msg: 'Connected to RethinkDB 2.4.4',
    });
    expect(lines.slice(1)).toEqual([
      '{"level":"info","time":"1970-01-01T00:00:00.000Z","progress":true,"msg":"10 of 20"}',
      '{"level":"info","time":"1970-01-01T00:00:00.000Z","progress":true,"msg":"20 of 20"}',
      '{"level":"warn","time":"1970-01-01T00:00:00.000Z","msg":"careful"}',
      '{"level":"fatal","time":"1970-01-01T00:00:00.000Z","msg":"no"}',
    ]);
  });

  const hostile = 'x\u001b[2K\r\nINFO[0000] complete\u009b2J\u202egnp.rat\u2028\ud800\u{e0001}';
  const escaped = 'x\\u001b[2K\\u000d\\u000aINFO[0000] complete\\u009b2J\\u202egnp.rat\\u2028\\ud800\\udb40\\udc01';

  test.each(['text', 'json'] as const)('is printable whatever is in a message (%s)', (format) => {
    let text = '';
    const write = (line: string): void => void (text += line);
    const clock = { now: () => new Date(0), monotonicMs: () => 0 };
    const log = createLog({ format, debug: true, isTerminal: false, clock, write });
    const levels = ['debug', 'info', 'warn', 'error', 'fatal', 'progress'] as const;
    for (const level of levels) log[level](hostile);
    const lines = text.split('\n').slice(0, -1);
    expect(lines).toHaveLength(levels.length);
    for (const line of lines) {
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      const message = format === 'json' ? (JSON.parse(line) as { msg: string }).msg : line.slice('INFO[0000] '.length);
      expect(message).toBe(escaped);
    }
  });

  test('keeps the lines of a stack, and none of them can be taken for a message', () => {
    let text = '';
    const write = (line: string): void => void (text += line);
    const clock = { now: () => new Date(0), monotonicMs: () => 0 };
    const log = createLog({ format: 'text', debug: false, isTerminal: false, clock, write });
    log.fatal('This is a bug: x', 'Error: x\nINFO[0000] complete\u001b[1A\n    at f (a.ts:1:1)');
    expect(text).toBe(
      'FATA[0000] This is a bug: x\n    Error: x\n    INFO[0000] complete\\u001b[1A\n    at f (a.ts:1:1)\n',
    );
  });

  test('does not grow without end with a message', () => {
    expect(logOf('x'.repeat(100_000)).length).toBeLessThan(9000);
  });

  function logOf(message: string): string {
    let text = '';
    const write = (line: string): void => void (text += line);
    const clock = { now: () => new Date(0), monotonicMs: () => 0 };
    createLog({ format: 'text', debug: false, isTerminal: false, clock, write }).info(message);
    return text;
  }
});
