// What errors of the server mean, and what is said of a peer that is not RethinkDB.
import { describe, expect, test } from '@jest/globals';
import { startLocalServer } from '../../support/local-server.js';
import { isTransient, refusalText } from '#src/rethink/errors.js';
import { RethinkSession } from '#src/rethink/session.js';
import { ReqlError } from '#src/rethink/wire/answer.js';
import { createRecordedLog } from '../../support/recorded-log.js';

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
  ])('is waited for by the type %s: %s', (type, text) => {
    expect(isTransient(new ReqlError(text, errorTypes[type]))).toBe(true);
  });

  test.each<[keyof typeof errorTypes, string]>([
    ['opFailed', 'Table `dtr2.tags` does not exist.'],
    ['opFailed', 'Database `dtr2` does not exist.'],
    ['opFailed', 'Index `name` was not found on table `dtr2.tags`.'],
    ['opFailed', 'Table `dtr2.tags` already exists.'],
    ['logic', 'Cannot perform read: not available'],
    ['internal', 'lost contact with primary replica'],
  ])('is not waited for with %s: %s', (type, text) => {
    expect(isTransient(new ReqlError(text, errorTypes[type]))).toBe(false);
  });
});

describe('a refusal', () => {
  test.each([
    ['Primary key too long (max 127 characters): "-----BEGIN KEY-----"', 'Primary key too long (max 127 characters)'],
    ['Duplicate primary key `id`:\n{\n\t"id":\t"a secret"\n}\n{}', 'Duplicate primary key `id`'],
    ['Expected type OBJECT but found ARRAY: ["a secret"]', 'Expected type OBJECT but found ARRAY'],
    ['Failed to parse "{\\"a secret\\"" as JSON: Missing a colon.', 'it is not JSON'],
    ['Table `dtr2.tags` does not exist.', 'Table `dtr2.tags` does not exist.'],
  ])('is told without what it quotes: %j', (text, told) => {
    expect(refusalText(text)).toBe(told);
    expect(refusalText(new ReqlError(text, errorTypes.logic))).toBe(told);
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
