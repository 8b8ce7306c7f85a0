// Which first error of a changefeed means that the server is too old for one, as a scripted server words it.
import { describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { RethinkSession } from '#src/rethink/session.js';
import { canFollow } from '#src/rethink/table-feed.js';
import { createRecordedLog } from '../../support/recorded-log.js';
import { frame, startScriptedServer } from '../../support/replica/scripted-server.js';

/** `ErrorType` of RethinkDB's protocol. */
const errorType = { internal: 1_000_000, logic: 3_000_000, permission: 6_000_000 };

async function ask(type: number, answer: object): Promise<boolean> {
  await using server = await startScriptedServer(({ token }, socket) => {
    socket.write(frame(token, JSON.stringify({ t: type, b: [], ...answer })));
  });
  const options = { address: server, insecureSkipVerify: false, connectWindowMs: 1000, readTimeoutMs: 1000 };
  const { signal } = new AbortController();
  await using session = new RethinkSession(options, { log: createRecordedLog(), signal });
  return await canFollow(session, { database: 'dtr2', name: 'tags' }, { queueSize: 100 });
}

describe('a changefeed', () => {
  test('is not known to a server that does not know its options', async () => {
    const text = 'Unrecognized optional argument `include_types`.';
    expect(await ask(17, { e: errorType.logic, r: [text] })).toBe(false);
    // Before 2.3 errors had no type.
    expect(await ask(17, { r: [text] })).toBe(false);
  });

  test.each([
    ['internal', 18, 'Internal error: the disk is on fire'],
    ['logic', 18, 'Cannot call `changes` on an eager stream.'],
    ['permission', 18, 'User `x` does not have the required `read` permission'],
  ] as const)('that fails for another reason (%s) ends the run', async (type, response, text) => {
    await expect(ask(response, { e: errorType[type], r: [text] })).rejects.toMatchObject({
      exitCode: ExitCode.rethinkdb,
      message: expect.stringContaining(`cannot read table dtr2.tags: ${text}`) as unknown,
    });
  });
});
