// What is told of the driver's errors, as the driver itself makes them of what a peer says.
import { describe, expect, test } from '@jest/globals';
import { startLocalServer } from '../../support/local-server.js';
import { isTransient, refusalText, rethinkErrorText } from '#src/rethink/driver.js';
import { RethinkSession } from '#src/rethink/session.js';
import { createRecordedLog } from '../../support/recorded-log.js';
import { driverOptions, r } from '../../support/replica/driver.js';
import { frame, startScriptedServer } from '../../support/replica/scripted-server.js';

/** What the driver throws when this is the answer to a question about secrets. */
async function errorOf(answer: object): Promise<unknown> {
  await using server = await startScriptedServer(({ token }, socket) => {
    socket.write(frame(token, JSON.stringify(answer)));
  });
  const connection = await r.connect(driverOptions(server));
  const asking = r.db('dtr2').table('private_keys').insert({ key: 'a secret' }).run(connection);
  const error: unknown = await asking.catch((thrown: unknown) => thrown);
  await connection.close();
  return error;
}

const runtimeError = (text: string): object => ({ t: 18, e: 3_000_000, r: [text], b: [] });

describe('an error', () => {
  test('of the server is told in its words, on one line, without the query', async () => {
    expect(rethinkErrorText(await errorOf(runtimeError('Cannot perform write:\nprimary replica lost.')))).toBe(
      'Cannot perform write: primary replica lost.',
    );
  });

  test('of the driver ends before the colon that the query would follow', async () => {
    await using server = await startScriptedServer(() => undefined);
    const connection = await r.connect(driverOptions(server));
    await connection.close();
    const error: unknown = await r
      .expr('a secret')
      .run(connection)
      .catch((thrown: unknown) => thrown);
    expect(rethinkErrorText(error)).toBe('`run` was called with a closed connection after');
  });

  test('of anything else is told with its causes', () => {
    const error = new Error('cannot read', { cause: new Error('the disk is gone') });
    expect(rethinkErrorText(error)).toBe('cannot read: the disk is gone');
  });
});

/** `ErrorType` of RethinkDB's protocol. */
const errorTypes = { internal: 1_000_000, logic: 3_000_000, opFailed: 4_100_000, opIndeterminate: 4_200_000 };

describe('a table that is not available now', () => {
  test.each<[keyof typeof errorTypes, string]>([
    [
      'opFailed',
      "Cannot perform read: The primary replica isn't connected to a quorum of replicas. The read was not performed, …",
    ],
    ['opFailed', 'Cannot perform read: primary replica for shard ["", +inf) not available'],
    ['opFailed', 'Cannot perform read: No replicas are ready for reading.'],
    ['opFailed', 'Cannot perform read: Lost contact with replica during read.'],
    [
      'opFailed',
      'Cannot perform read: cannot compute sharding scheme because primary replicas are unavailable or duplicated',
    ],
    ['opFailed', 'Feed aborted before initial values were read.'],
    ['opFailed', 'Unable to retrieve start stamps.  (Did you just reshard?)'],
    ['opFailed', 'The server(s) hosting table `dtr2.tags` are currently unreachable.'],
    ['opIndeterminate', 'Cannot perform write: lost contact with primary replica'],
    ['opIndeterminate', 'We lost contact with the server(s) hosting table `dtr2.tags`.'],
    ['opFailed', 'what a later RethinkDB may say'],
  ])('is waited for by the type %s: %s', async (type, text) => {
    expect(isTransient(await errorOf({ t: 18, e: errorTypes[type], r: [text], b: [] }))).toBe(true);
  });

  test.each<[keyof typeof errorTypes, string]>([
    ['opFailed', 'Table `dtr2.tags` does not exist.'],
    ['opFailed', 'Database `dtr2` does not exist.'],
    ['opFailed', 'Index `name` was not found on table `dtr2.tags`.'],
    ['opFailed', 'Table `dtr2.tags` already exists.'],
    ['logic', 'Cannot perform read: not available'],
    ['internal', 'lost contact with primary replica'],
  ])('is not waited for with %s: %s', async (type, text) => {
    expect(isTransient(await errorOf({ t: 18, e: errorTypes[type], r: [text], b: [] }))).toBe(false);
  });

  test('is waited for whatever stands in the query that was sent', async () => {
    await using server = await startScriptedServer(({ token }, socket) => {
      socket.write(
        frame(token, JSON.stringify({ t: 18, e: errorTypes.opFailed, r: ['primary replica lost.'], b: [] })),
      );
    });
    const connection = await r.connect(driverOptions(server));
    const error: unknown = await r
      .expr('it does not exist')
      .run(connection)
      .catch((thrown: unknown) => thrown);
    await connection.close();
    expect(isTransient(error)).toBe(true);
  });
});

describe('a refusal', () => {
  test.each([
    ['Primary key too long (max 127 characters): "-----BEGIN KEY-----"', 'Primary key too long (max 127 characters)'],
    ['Duplicate primary key `id`:\n{\n\t"id":\t"a secret"\n}\n{}', 'Duplicate primary key `id`'],
    ['Expected type OBJECT but found ARRAY: ["a secret"]', 'Expected type OBJECT but found ARRAY'],
    ['Failed to parse "{\\"a secret\\"" as JSON: Missing a colon.', 'it is not JSON'],
    ['Table `dtr2.tags` does not exist.', 'Table `dtr2.tags` does not exist.'],
  ])('is told without what it quotes: %j', async (text, told) => {
    expect(refusalText(text)).toBe(told);
    expect(refusalText(await errorOf(runtimeError(text)))).toBe(told);
  });
});

test.each([
  [
    'an older RethinkDB',
    'ERROR: Received an unsupported protocol version.\n\0',
    /: it does not speak RethinkDB’s protocol, but says "ERROR: Received an unsupported protocol version."$/,
  ],
  [
    'a TLS server',
    '\u0015\u0003\u0003\0\u0002\u0002\u0028',
    /: it does not speak RethinkDB’s protocol, but says "\\u0015\\u0003\\u0003"$/,
  ],
])('%s in its place is told at once, by what it says', async (_what, greeting, message) => {
  await using server = await startLocalServer((client) => {
    client.write(Buffer.from(greeting, 'latin1'));
  });
  const options = { address: server, insecureSkipVerify: false, connectWindowMs: 60_000, readTimeoutMs: 60_000 };
  const { signal } = new AbortController();
  await using session = new RethinkSession(options, { log: createRecordedLog(), signal });
  await expect(session.connect()).rejects.toMatchObject({
    exitCode: 7,
    message: expect.stringMatching(message) as unknown,
  });
});
