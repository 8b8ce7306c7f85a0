/**
 * The floor under every reader: asks RethinkDB for the rows of one table in key order and throws away the bytes as they
 * come off the socket, unparsed. Speaks the wire protocol itself (V1_0 handshake with SCRAM-SHA-256 for `admin` without
 * a password, then START and CONTINUE). Prints how many bytes there were.
 *
 *     node raw-drain.js HOST PORT DATABASE TABLE PRIMARY_KEY
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

const [, , host = '', port = '', database = '', table = '', primaryKey = ''] = process.argv;
const socket = connect({ host, port: Number(port), noDelay: true });
/** Token, length, and the answer's type: `{"t":3`. */
const headBytes = 18;

await once(socket, 'connect');
await signIn();
console.log(String(await drain()));
socket.destroy();

async function signIn(): Promise<void> {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(0x34c2bdc3);
  const first = `n=admin,r=${randomBytes(18).toString('base64')}`;
  const hello = { protocol_version: 0, authentication_method: 'SCRAM-SHA-256', authentication: `n,,${first}` };
  socket.write(Buffer.concat([magic, Buffer.from(`${JSON.stringify(hello)}\0`)]));
  await textMessage();
  const serverFirst = (JSON.parse(await textMessage()) as { authentication: string }).authentication;
  const {
    r = '',
    s = '',
    i = '1',
  } = Object.fromEntries(serverFirst.split(',').map((part) => [part[0] ?? '', part.slice(2)])) as Record<
    string,
    string
  >;
  const salted = pbkdf2Sync('', Buffer.from(s, 'base64'), Number(i), 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const stored = createHash('sha256').update(clientKey).digest();
  const signature = createHmac('sha256', stored).update(`${first},${serverFirst},c=biws,r=${r}`).digest();
  const checksums = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
  const authentication = `c=biws,r=${r},p=${Buffer.from(checksums).toString('base64')}`;
  socket.write(`${JSON.stringify({ authentication })}\0`);
  const { success } = JSON.parse(await textMessage()) as { success: boolean };
  if (!success) throw new Error('the server refused to let us in');
}

/** One message of the handshake: JSON up to a zero byte. */
async function textMessage(): Promise<string> {
  for (let text = ''; ;) {
    const byte = socket.read(1) as Buffer | null;
    if (byte === null) await once(socket, 'readable');
    else if (byte[0] === 0) return text;
    else text += byte.toString('latin1');
  }
}

function send(query: unknown): void {
  const body = JSON.stringify(query);
  const header = Buffer.alloc(12);
  header.writeUInt32LE(1);
  header.writeUInt32LE(Buffer.byteLength(body), 8);
  socket.write(Buffer.concat([header, Buffer.from(body)]));
}

/** Terms: 14 DB, 15 TABLE, 41 ORDER_BY. Queries: 1 START, 2 CONTINUE. Answers: 2 the last, 3 more to come. */
async function drain(): Promise<number> {
  let total = 0;
  let header = Buffer.alloc(0);
  let left = 0;
  let isLast = false;
  const chunks = new Promise<void>((resolve, reject) => {
    socket.removeAllListeners('readable');
    socket.on('error', reject).on('close', () => reject(new Error('the server went away')));
    socket.on('data', (chunk: Buffer) => {
      total += chunk.length;
      for (let rest = chunk; rest.length > 0;) {
        if (left === 0) {
          const missing = headBytes - header.length;
          header = Buffer.concat([header, rest.subarray(0, missing)]);
          if (header.length < headBytes) return;
          rest = rest.subarray(missing);
          left = header.readUInt32LE(8) - (headBytes - 12);
          isLast = header[17] !== 0x33;
          if (isLast && header[17] !== 0x32) reject(new Error(`the server answered ${header.toString('latin1', 12)}`));
        }
        const passed = Math.min(left, rest.length);
        left -= passed;
        rest = rest.subarray(passed);
        if (left > 0) return;
        header = Buffer.alloc(0);
        if (isLast) resolve();
        else send([2]);
      }
    });
    socket.resume();
  });
  send([1, [41, [[15, [[14, [database]], table]]], { index: primaryKey }], {}]);
  await chunks;
  return total;
}
