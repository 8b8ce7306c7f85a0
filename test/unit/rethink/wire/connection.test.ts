// How answers are heard, by the driver's own connection to a peer that may send them in pieces, to nobody, or broken.
import { expect, test } from '@jest/globals';
import type { Socket } from 'node:net';
import { scanTable } from '#src/rethink/scan.js';
import { RethinkSession } from '#src/rethink/session.js';
import { createRecordedLog } from '../../../support/recorded-log.js';
import { frame, startScriptedServer, type Script } from '../../../support/replica/scripted-server.js';

const table = { database: 'dtr2', name: 'private_keys', primaryKey: 'id', indexes: [], writeHook: null };
const batch = (type: 2 | 3, ...rows: string[]): string => `{"t":${type},"r":[${rows.join(',')}],"n":[]}`;

/** All of a table as one scan gives it. */
async function scan(script: Script, connectWindowMs = 5000): Promise<string> {
  await using server = await startScriptedServer(script);
  const { host, port } = server;
  const log = createRecordedLog();
  const bounds = { insecureSkipVerify: false, connectWindowMs, readTimeoutMs: 20_000 };
  const { signal } = new AbortController();
  await using session = new RethinkSession({ address: { host, port }, ...bounds }, { log, signal });
  let text = '';
  for await (const lines of scanTable(session, table)) text += lines.toString();
  return text;
}

/** Each byte on its own, as far as the network lets it. */
async function writeSlowly(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
    await new Promise(setImmediate);
  }
}

test('answers that come byte by byte, headers too, are whole', async () => {
  const answers = [batch(3, '{"id":"ä"}', '{"id":"b"}'), batch(3), batch(2, '{"id":"c","text":"]},{"}')];
  const text = await scan(({ token }, socket) => void writeSlowly(socket, frame(token, answers.shift() ?? '')));
  expect(text).toBe('{"id":"ä"}\n{"id":"b"}\n{"id":"c","text":"]},{"}\n');
});

test('large answers and small ones, in turn, are whole', async () => {
  const large = `{"id":"a","text":"${'x'.repeat(3_000_000)}"}`;
  const answers = [batch(3, large), batch(3, '{"id":"b"}'), batch(3, large), batch(3, large), batch(2, '{"id":"c"}')];
  const text = await scan(({ token }, socket) => socket.write(frame(token, answers.shift() ?? '')));
  expect(text === `${large}\n{"id":"b"}\n${large}\n${large}\n{"id":"c"}\n`).toBe(true);
});

test('an answer to a query that nobody waits for is passed over', async () => {
  const text = await scan(({ token }, socket) => {
    const stopped = frame(token + 1000, batch(2, '{"id":"of another query"}'));
    socket.write(Buffer.concat([stopped, frame(token, batch(2, '{"id":"a"}')), stopped]));
  });
  expect(text).toBe('{"id":"a"}\n');
});

test('an answer that is announced with more than 1 GiB ends the connection before any memory is taken', async () => {
  const header = frame(1, '');
  header.writeUInt32LE(0xffff_ffff, 8);
  const peer = (_query: unknown, socket: Socket): void => void socket.write(header);
  await expect(scan(peer, 300)).rejects.toMatchObject({
    exitCode: 7,
    message: expect.stringContaining('the server announces an answer of 4294967295 bytes') as unknown,
  });
});

test('an answer that is not JSON fails the read, and nothing of it is told: it may be a private key', async () => {
  for (const answer of ['-----BEGIN RSA PRIVATE KEY-----', '{"t":1,"r":[secret]}', '']) {
    await expect(scan(({ token }, socket) => socket.write(frame(token, answer)))).rejects.toMatchObject({
      exitCode: 7,
      message: 'cannot read table dtr2.private_keys: the server sent an answer that is not JSON of its protocol',
    });
  }
});

test('an answer without rows is not taken for the end of a table', async () => {
  const atom = '{"t":1,"r":[{"id":"a"}],"n":[]}';
  for (const first of [[], [batch(3, '{"id":"a"}')]]) {
    const answers = [...first, atom];
    await expect(scan(({ token }, socket) => socket.write(frame(token, answers.shift() ?? '')))).rejects.toMatchObject({
      exitCode: 7,
      message: 'cannot read table dtr2.private_keys: the server sent an answer without rows',
    });
  }
});

test('the server’s own error is told in its words, without the query', async () => {
  const error = '{"t":18,"e":4100000,"r":["Table `dtr2.private_keys` does not exist."],"b":[]}';
  await expect(scan(({ token }, socket) => socket.write(frame(token, error)))).rejects.toMatchObject({
    exitCode: 7,
    message: 'cannot read table dtr2.private_keys: Table `dtr2.private_keys` does not exist.',
  });
});
