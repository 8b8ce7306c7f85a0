// What the log writes, in both of its formats.
import { describe, expect, test } from '@jest/globals';
import { createLog } from '#src/base/log.js';

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

  test('looks like that of docker/dtr', () => {
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

  test('cuts a long message', () => {
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
