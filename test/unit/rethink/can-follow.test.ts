// Which first error of a changefeed means that the server is too old for one, as a scripted server words it.
import { describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { canFollow } from '#src/rethink/table-feed.js';
import { errorTypes, withScriptedSession } from '../../support/replica/scripted-session.js';

function ask(type: number, answer: object): Promise<boolean> {
  const table = { database: 'dtr2', name: 'tags' };
  return withScriptedSession(
    () => ({ t: type, b: [], ...answer }),
    (session) => canFollow(session, table, { queueSize: 100 }),
  );
}

describe('a changefeed', () => {
  test('is not known to a server that does not know its options', async () => {
    const text = 'Unrecognized optional argument `include_types`.';
    expect(await ask(17, { e: errorTypes.logic, r: [text] })).toBe(false);
    // Before 2.3 errors had no type.
    expect(await ask(17, { r: [text] })).toBe(false);
  });

  test.each([
    ['internal', 18, 'Internal error: the disk is on fire'],
    ['logic', 18, 'Cannot call `changes` on an eager stream.'],
    ['permission', 18, 'User `x` does not have the required `read` permission'],
  ] as const)('that fails for another reason (%s) ends the run', async (type, response, text) => {
    await expect(ask(response, { e: errorTypes[type], r: [text] })).rejects.toMatchObject({
      exitCode: ExitCode.rethinkdb,
      message: expect.stringContaining(`cannot read table dtr2.tags: ${text}`) as unknown,
    });
  });
});
