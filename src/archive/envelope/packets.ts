/**
 * The packets of an encrypted OpenPGP message: session keys, encrypted data, end. Ours, because openpgp.js holds packets
 * of any size before it looks at them, and what follows the data; and recognition must not load it.
 */
import type { ByteSource } from '../tar/byte-source.js';
import { DamagedInputError } from '../damaged-input.js';
import { limits } from './limits.js';

export const tags = {
  publicKeySession: 1,
  passphraseSession: 3,
  /** Encrypted without integrity protection. */
  unprotectedData: 9,
  marker: 10,
  /** SEIPD: version 1 with MDC, version 2 with AEAD. */
  protectedData: 18,
  /** AEAD as GnuPG 2.3 and later write it; in no RFC. */
  aeadData: 20,
} as const;

const dataTags: readonly number[] = [tags.unprotectedData, tags.protectedData, tags.aeadData];

/** The versions of the packets that an encrypted message begins with. */
const versions: Readonly<Record<number, readonly number[]>> = {
  [tags.publicKeySession]: [3, 6],
  [tags.passphraseSession]: [4, 5, 6],
  [tags.protectedData]: [1, 2],
  [tags.aeadData]: [1],
};

const armourLine = Buffer.from('-----BEGIN PGP MESSAGE-----');

/** How many bytes `encryptionOf` looks at. */
export const messageHeadBytes = armourLine.length;

export type MessageForm = 'binary' | 'armoured';

/** The form of the encrypted OpenPGP message that begins with `head`; undefined for anything else. */
export function encryptionOf(head: Buffer): MessageForm | undefined {
  if (head.indexOf(armourLine) === 0) return 'armoured';
  const [first = 0, length = 0] = head;
  if ((first & 0x80) === 0) return undefined;
  const lengthBytes = isNewFormat(first) ? newLengthBytes(length) : 1 << (first & 3);
  return versions[tagOf(first)]?.includes(head[1 + lengthBytes] ?? 0) === true ? 'binary' : undefined;
}

export interface SessionKeyPacket {
  readonly tag: number;
  readonly body: Buffer;
}

export interface EncryptedMessage {
  readonly sessionKeys: readonly SessionKeyPacket[];
  readonly dataTag: number;
  /** Throws DamagedInputError where it is truncated, or bytes follow the message. */
  readonly data: AsyncIterable<Buffer>;
}

/** Reads up to the encrypted data. Throws DamagedInputError for what is no such message, and what the source throws. */
export async function readEncryptedMessage(source: ByteSource): Promise<EncryptedMessage> {
  const sessionKeys: SessionKeyPacket[] = [];
  const start = source.position;
  for (;;) {
    const first = (await need(source, 1)).readUInt8();
    if ((first & 0x80) === 0) throw damaged('no packet where one must begin');
    const tag = tagOf(first);
    const length = isNewFormat(first) ? await newLength(source) : await oldLength(source, first & 3);
    if (dataTags.includes(tag)) return { sessionKeys, dataTag: tag, data: dataOf(source, length) };
    if (source.position - start + length.bytes > limits.maxSessionKeyBytes) {
      throw new DamagedInputError(`has more than ${limits.maxSessionKeyBytes} bytes before its encrypted data`);
    }
    if (length.isPartial) throw damaged('a session key of unknown length');
    const body = await need(source, length.bytes);
    if (tag === tags.publicKeySession || tag === tags.passphraseSession) sessionKeys.push({ tag, body });
    else if (tag !== tags.marker) throw damaged(`a packet of type ${tag} before the encrypted data`);
  }
}

/** Takes `count` bytes. Throws DamagedInputError where the message ends before. */
export async function need(source: ByteSource, count: number): Promise<Buffer> {
  if (!(await source.fill(count))) throw truncated();
  return source.take(count);
}

export function damaged(what: string): DamagedInputError {
  return new DamagedInputError(`is damaged OpenPGP data: ${what}`);
}

export function truncated(): DamagedInputError {
  return new DamagedInputError('is cut short: it is encrypted, and its end is missing');
}

/** Of a packet, or of a part of one, which another part follows. */
interface Length {
  readonly bytes: number;
  readonly isPartial: boolean;
}

async function* dataOf(source: ByteSource, first: Length): AsyncGenerator<Buffer, void, undefined> {
  try {
    for (let part = first; ; part = await newLength(source)) {
      for (let left = part.bytes; left > 0;) {
        if (!(await source.fill(1))) {
          if (left !== Infinity) throw truncated();
          return;
        }
        const step = Math.min(left, source.available);
        yield source.take(step);
        left -= step;
      }
      if (!part.isPartial) break;
    }
    if (await source.fill(1)) throw new DamagedInputError('has trailing bytes after its OpenPGP message');
  } finally {
    await source.close();
  }
}

function isNewFormat(first: number): boolean {
  return (first & 0x40) !== 0;
}

function tagOf(first: number): number {
  return isNewFormat(first) ? first & 0x3f : (first & 0x3f) >> 2;
}

/** The bytes of a length in new format, by the first of them: 192 to 223 begin two, 255 five, others are one byte. */
function newLengthBytes(first: number): number {
  if (first === 255) return 5;
  return first >= 192 && first < 224 ? 2 : 1;
}

async function newLength(source: ByteSource): Promise<Length> {
  const first = (await need(source, 1)).readUInt8();
  const more = await need(source, newLengthBytes(first) - 1);
  if (first === 255) return { bytes: more.readUInt32BE(), isPartial: false };
  if (first >= 224) return { bytes: 2 ** (first & 0x1f), isPartial: true };
  return { bytes: first < 192 ? first : ((first - 192) << 8) + more.readUInt8() + 192, isPartial: false };
}

async function oldLength(source: ByteSource, type: number): Promise<Length> {
  if (type === 3) return { bytes: Infinity, isPartial: false };
  const count = 1 << type;
  return { bytes: (await need(source, count)).readUIntBE(0, count), isPartial: false };
}
