// What is made of the system tables, or of a server that does not show them.
import { describe, expect, test } from '@jest/globals';
import { countServers, readCurrentIssues, readServerVersion } from '#src/rethink/server-status.js';
import type { RethinkSession } from '#src/rethink/session.js';
import { errorTypes, runtimeError, withScriptedSession } from '../../support/replica/scripted-session.js';

type Ask<T> = (session: RethinkSession) => Promise<T>;

/** What `ask` makes of a server that gives this answer, or hangs up instead. */
function answered<T>(ask: Ask<T>, answer: object | undefined): Promise<T> {
  return withScriptedSession(() => answer, ask, { connectWindowMs: 300 });
}

const rows = (...r: unknown[]): object => ({ t: 2, r, n: [] });
const server = (version: string): object => ({ name: 'dtr_rethinkdb', process: { version } });
const noRight = runtimeError(errorTypes.permission, 'User `dtr` does not have the required `read` permission');

describe('the version', () => {
  test.each([
    ['rethinkdb 2.4.4~0bookworm (CLANG 14.0.6)', '2.4.4~0bookworm'],
    ['rethinkdb 2.3.7 (GCC 5.3.0)', '2.3.7'],
    ['rethinkdb of no number', undefined],
  ])('is the number in %j', async (text, version) => {
    expect(await answered(readServerVersion, rows(server(text)))).toBe(version);
  });

  test.each<[string, object]>([
    ['shows no server', rows()],
    ['shows something else', rows({ process: { pid: 1 } })],
    ['gives no right to see it', noRight],
  ])('is not known where the server %s', async (_what, answer) => {
    expect(await answered(readServerVersion, answer)).toBeUndefined();
  });
});

test('servers are counted, and one there is in any case', async () => {
  expect(await answered(countServers, rows(server('2.4.4'), server('2.4.4'), server('2.4.4')))).toBe(3);
  for (const answer of [rows(), rows({}), noRight]) expect(await answered(countServers, answer)).toBe(1);
});

test('issues are told on a line each, by their type where they have no words', async () => {
  const issues = rows(
    { type: 'memory_error', description: 'Data is being\n  swapped out.\n', critical: false },
    { type: 'table_availability' },
  );
  expect(await answered(readCurrentIssues, issues)).toEqual(['Data is being swapped out.', 'table_availability']);
  for (const answer of [rows(), rows({ description: 'of no type' }), noRight])
    expect(await answered(readCurrentIssues, answer)).toEqual([]);
});

test.each<[string, Ask<unknown>]>([
  ['version', readServerVersion],
  ['count', countServers],
  ['issues', readCurrentIssues],
])('a server that hangs up is not taken for one that does not tell (%s)', async (_what, ask) => {
  await expect(answered(ask, undefined)).rejects.toMatchObject({
    exitCode: 7,
    message: expect.stringMatching(/^RethinkDB at 127\.0\.0\.1:\d+ did not answer within 0\.3 s: /) as unknown,
  });
});
