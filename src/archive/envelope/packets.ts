/** The packets of an encrypted OpenPGP message: some session keys, one of encrypted data, and then the end. */
import { ByteSource } from '../tar/byte-source.js';
import { DamagedInputError } from '../damaged-input.js';
import { limits } from './limits.js';
import { dataTags, tags } from './message-head.js';

export interface SessionKeyPacket {
  readonly tag: number;
  readonly body: Buffer;
}

export interface EncryptedMessage {
  readonly sessionKeys: readonly SessionKeyPacket[];
  readonly data: EncryptedData;
}

export interface EncryptedData {
  readonly tag: number;
  /** Throws DamagedInputError where it is cut short, or the message goes on after it. */
  readonly body: AsyncIterable<Buffer>;
}

/** Of a packet, or of a part of one that says that another part follows. */
interface Length {
  readonly bytes: number;
  readonly isPartial: boolean;
}

/** Reads up to the encrypted data. Throws DamagedInputError for what is no such message, and what `chunks` throws. */
export async function readEncryptedMessage(chunks: AsyncIterable<Buffer>): Promise<EncryptedMessage> {
  const source = new ByteSource(chunks);
  const sessionKeys: SessionKeyPacket[] = [];
  for (;;) {
    const tag = await readTag(source);
    const length = await tag.readLength();
    if (dataTags.has(tag.tag)) return { sessionKeys, data: { tag: tag.tag, body: bodyOf(source, length) } };
    const end = source.position + length.bytes;
    if (end > limits.maxSessionKeyBytes) {
      throw new DamagedInputError(`has more than ${limits.maxSessionKeyBytes} bytes before its encrypted data`);
    }
    if (length.isPartial) throw damaged('a session key of unknown length');
    const body = await need(source, length.bytes);
    if (tag.tag === tags.publicKeySession || tag.tag === tags.passphraseSession)
      sessionKeys.push({ tag: tag.tag, body });
    else if (tag.tag !== tags.marker) throw damaged(`a packet of type ${tag.tag} before the encrypted data`);
  }
}

/** The types of all packets in `bytes`. Throws DamagedInputError for what is no packets. */
export async function readTags(bytes: Buffer): Promise<number[]> {
  const source = new ByteSource(ReadableStream.from([bytes]));
  const found: number[] = [];
  while (await source.fill(1)) {
    const { tag, readLength } = await readTag(source);
    const { bytes: count } = await readLength();
    await need(source, count);
    found.push(tag);
  }
  return found;
}

async function* bodyOf(source: ByteSource, first: Length): AsyncGenerator<Buffer, void, undefined> {
  try {
    for (let part = first; ; part = await newLength(source)) {
      for (let left = part.bytes; left > 0;) {
        if (source.available === 0 && !(await source.fill(1))) {
          if (left !== Infinity) throw cutShort();
          return;
        }
        const step = Math.min(left, source.available);
        yield source.take(step);
        left -= step;
      }
      if (!part.isPartial) break;
    }
    if (await source.fill(1)) throw new DamagedInputError('goes on after the end of its OpenPGP message');
  } finally {
    await source.close();
  }
}

async function readTag(
  source: ByteSource,
): Promise<{ readonly tag: number; readonly readLength: () => Promise<Length> }> {
  const first = (await need(source, 1)).readUInt8();
  if ((first & 0x80) === 0) throw damaged('no packet where one must begin');
  if ((first & 0x40) !== 0) return { tag: first & 0x3f, readLength: () => newLength(source) };
  return { tag: (first & 0x3f) >> 2, readLength: () => oldLength(source, first & 3) };
}

async function newLength(source: ByteSource): Promise<Length> {
  const first = (await need(source, 1)).readUInt8();
  if (first < 192) return { bytes: first, isPartial: false };
  if (first < 224) {
    return { bytes: ((first - 192) << 8) + (await need(source, 1)).readUInt8() + 192, isPartial: false };
  }
  if (first < 255) return { bytes: 2 ** (first & 0x1f), isPartial: true };
  return { bytes: (await need(source, 4)).readUInt32BE(), isPartial: false };
}

async function oldLength(source: ByteSource, type: number): Promise<Length> {
  if (type === 3) return { bytes: Infinity, isPartial: false };
  const count = 1 << type;
  return { bytes: (await need(source, count)).readUIntBE(0, count), isPartial: false };
}

async function need(source: ByteSource, count: number): Promise<Buffer> {
  if (!(await source.fill(count))) throw cutShort();
  return source.take(count);
}

function damaged(what: string): DamagedInputError {
  return new DamagedInputError(`is damaged OpenPGP data: ${what}`);
}

export function cutShort(): DamagedInputError {
  return new DamagedInputError('is cut short: it is encrypted, and its end is missing');
}
