/**
 * A peer on 127.0.0.1 that speaks RethinkDB's wire protocol (handshake V1_0, answers as JSON) and says to each query what
 * the test tells it to: for answers that no real server can be brought to give.
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { Socket } from 'node:net';
import { startLocalServer, type LocalServer } from '../local-server.js';

/** A query as it came: START has type 1 and a term, CONTINUE 2, STOP 3. */
export interface ScriptedQuery {
  readonly token: number;
  readonly type: number;
  readonly term: unknown;
}

/** Told of each query, and writes what it likes. */
export type Script = (query: ScriptedQuery, socket: Socket) => void;

/** An answer with its header: token and length (RethinkDB's wire protocol). */
export function frame(token: number, answer: string): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(token, 0);
  header.writeUInt32LE(Buffer.byteLength(answer), 8);
  return Buffer.concat([header, Buffer.from(answer)]);
}

/** Who may sign in; `admin` without a password when left out. */
export interface ScriptedAccount {
  readonly user: string;
  readonly password: string;
}

export async function startScriptedServer(
  script: Script,
  account: ScriptedAccount = { user: 'admin', password: '' },
): Promise<LocalServer> {
  return await startLocalServer((client) => {
    client.setNoDelay();
    converse(client, script, account).catch(() => client.destroy());
  });
}

async function converse(socket: Socket, script: Script, account: ScriptedAccount): Promise<void> {
  const read = reader(socket);
  await shakeHands(read, (message) => socket.write(`${JSON.stringify({ success: true, ...message })}\0`), account);
  for (;;) {
    const header = await read((buffer) => (buffer.length < 12 ? undefined : 12));
    const token = header.readUInt32LE(0);
    const bytes = header.readUInt32LE(8);
    const body = await read((buffer) => (buffer.length < bytes ? undefined : bytes));
    const [type, term] = JSON.parse(body.toString()) as [number, unknown];
    script({ token, type, term }, socket);
  }
}

type Read = (length: (buffer: Buffer) => number | undefined) => Promise<Buffer>;

/** Reads as many bytes as `length` says once it can. */
function reader(socket: Socket): Read {
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let buffer = Buffer.alloc(0);
  return async (length) => {
    for (;;) {
      const bytes = length(buffer);
      if (bytes !== undefined) {
        const taken = buffer.subarray(0, bytes);
        buffer = buffer.subarray(bytes);
        return taken;
      }
      const next = await chunks.next();
      if (next.done === true) throw new Error('the client has gone');
      buffer = Buffer.concat([buffer, next.value]);
    }
  };
}

/** SCRAM-SHA-256 (RFC 5802): what the client proves, and the server must, too. Refusals are worded as RethinkDB's. */
async function shakeHands(
  read: Read,
  send: (message: object) => void,
  { user, password }: ScriptedAccount,
): Promise<void> {
  const message = async (): Promise<string> => {
    const bytes = await read((buffer) => (buffer.includes(0) ? buffer.indexOf(0) + 1 : undefined));
    return (JSON.parse(bytes.subarray(bytes.indexOf('{'), -1).toString()) as { authentication: string }).authentication;
  };
  const first = (await message()).slice('n,,'.length);
  send({ min_protocol_version: 0, max_protocol_version: 0, server_version: 'scripted' });
  const salt = Buffer.from('salt');
  const challenge = `${first.slice(first.indexOf('r='))}scripted,s=${salt.toString('base64')},i=1`;
  send({ authentication: challenge });
  const checksums = await message();
  const authMessage = `${first},${challenge},${checksums.slice(0, checksums.indexOf(',p='))}`;
  const salted = pbkdf2Sync(password, salt, 1, 32, 'sha256');
  const sign = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const clientKey = sign(salted, 'Client Key');
  const signature = sign(createHash('sha256').update(clientKey).digest(), authMessage);
  const expected = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0))).toString('base64');
  const known = user.replaceAll('=', '=3D').replaceAll(',', '=2C');
  if (!first.startsWith(`n=${known},`)) send({ success: false, error: 'Unknown user', error_code: 17 });
  else if (!checksums.endsWith(`,p=${expected}`)) send({ success: false, error: 'Wrong password', error_code: 12 });
  else send({ authentication: `v=${sign(sign(salted, 'Server Key'), authMessage).toString('base64')}` });
}
