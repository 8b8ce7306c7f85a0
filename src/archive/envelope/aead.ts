/**
 * OpenPGP data under AEAD: SEIPD version 2 (RFC 9580), and packet 20 as GnuPG 2.3 and later write it. Each chunk is held
 * until its tag has been checked, so no altered byte comes out.
 */
import {
  createCipheriv,
  createDecipheriv,
  hkdfSync,
  timingSafeEqual,
  type CipherOCBTypes,
  type DecipherOCB,
} from 'node:crypto';
import { DamagedInputError } from '../damaged-input.js';
import type { ByteSource } from '../tar/byte-source.js';
import type { Cipher } from './encrypted-data.js';
import { truncated } from './packets.js';

type AeadMode = 'eax' | 'ocb' | 'gcm';

/** By OpenPGP's numbers. 100 is GCM as openpgp.js wrote it before it had a number. */
export const aeadModes: Readonly<Record<number, AeadMode>> = { 1: 'eax', 2: 'ocb', 3: 'gcm', 100: 'gcm' };

export const nonceBytes: Readonly<Record<AeadMode, number>> = { eax: 16, ocb: 15, gcm: 12 };

const tagBytes = 16;
const indexBytes = 8;

export interface AeadHead {
  /** Otherwise SEIPD version 2. */
  readonly isPacket20: boolean;
  /** Of packet 20 the nonce; of SEIPD version 2 the salt that the data's key and nonces are derived with. */
  readonly start: Buffer;
  readonly cipher: Cipher;
  readonly mode: AeadMode;
  readonly chunkBytes: number;
  /** The packet's tag and first bytes: associated data of each chunk. */
  readonly bound: Buffer;
}

/** Gives the packets in `body`, which follows the head. Throws DamagedInputError for any alteration. */
export async function* decryptAead(
  source: ByteSource,
  head: AeadHead,
  sessionKey: Buffer,
): AsyncGenerator<Buffer, void, undefined> {
  const { chunkBytes, bound, isPacket20 } = head;
  const { key, nonceOf } = keyAndNonces(head, sessionKey);
  const open = (sealed: Buffer, index: number, ...more: Buffer[]): Buffer => {
    // In SEIPD version 2 the index is in the nonce alone.
    const associated = Buffer.concat([bound, ...(isPacket20 ? [bigEndian(index)] : []), ...more]);
    const plain = unseal(head, key, { sealed, nonce: nonceOf(index), bound: associated });
    if (plain === undefined) throw new DamagedInputError('was altered or cut short: its integrity check (AEAD) fails');
    return plain;
  };
  let total = 0;
  let index = 0;
  try {
    for (let isLast = false; !isLast; index += 1) {
      // After the last chunk comes one more tag, over nothing but the number of bytes.
      isLast = !(await source.fill(chunkBytes + 2 * tagBytes));
      const count = Math.min(chunkBytes, source.available - 2 * tagBytes);
      if (count <= 0) break;
      total += count;
      yield open(source.use(count + tagBytes), index);
    }
    if (source.available !== tagBytes) throw truncated();
    open(source.use(tagBytes), index, bigEndian(total));
  } finally {
    await source.close();
  }
}

interface KeyAndNonces {
  readonly key: Buffer;
  readonly nonceOf: (index: number) => Buffer;
}

function keyAndNonces({ isPacket20, start, cipher, mode, bound }: AeadHead, sessionKey: Buffer): KeyAndNonces {
  const counterAt = nonceBytes[mode] - indexBytes;
  if (isPacket20) {
    const nonceOf = (index: number): Buffer => {
      const counter = start.readBigUInt64BE(counterAt) ^ BigInt(index);
      return Buffer.concat([start.subarray(0, counterAt), bigEndian(counter)]);
    };
    return { key: sessionKey, nonceOf };
  }
  const derived = Buffer.from(hkdfSync('sha256', sessionKey, start, bound, cipher.keyBytes + counterAt));
  const nonceStart = derived.subarray(cipher.keyBytes);
  return {
    key: derived.subarray(0, cipher.keyBytes),
    nonceOf: (index) => Buffer.concat([nonceStart, bigEndian(index)]),
  };
}

function bigEndian(number: number | bigint): Buffer {
  const bytes = Buffer.alloc(indexBytes);
  bytes.writeBigUInt64BE(BigInt(number));
  return bytes;
}

interface SealedChunk {
  /** With its tag at the end. */
  readonly sealed: Buffer;
  readonly nonce: Buffer;
  readonly bound: Buffer;
}

/** Undefined where the tag does not match. */
export function unseal(
  { cipher, mode }: Pick<AeadHead, 'cipher' | 'mode'>,
  key: Buffer,
  { sealed, nonce, bound }: SealedChunk,
): Buffer | undefined {
  const text = sealed.subarray(0, -tagBytes);
  const tag = sealed.subarray(-tagBytes);
  if (mode === 'eax') {
    const mac = (kind: number, bytes: Buffer): Buffer =>
      cmac(`${cipher.node}`, key, Buffer.concat([Buffer.alloc(tagBytes - 1), Buffer.from([kind]), bytes]));
    const counter = mac(0, nonce);
    if (!timingSafeEqual(xor(xor(counter, mac(1, bound)), mac(2, text)), tag)) return undefined;
    return createDecipheriv(`${cipher.node}-ctr`, key, counter).update(text);
  }
  const name = `${cipher.node}-${mode}` as CipherOCBTypes;
  const decipher: DecipherOCB = createDecipheriv(name, key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(bound, { plaintextLength: text.length });
  decipher.setAuthTag(tag);
  const plain = decipher.update(text);
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    return undefined;
  }
}

/** NIST SP 800-38B, for a message of at least one block. Node has neither it nor EAX, which rests on it. */
function cmac(cipher: string, key: Buffer, message: Buffer): Buffer {
  const zero = Buffer.alloc(tagBytes);
  const whole = double(createCipheriv(`${cipher}-cbc`, key, zero).setAutoPadding(false).update(zero));
  const padding = -message.length & (tagBytes - 1);
  const padded = Buffer.concat([message, Buffer.alloc(padding)]);
  if (padding > 0) padded.writeUInt8(0x80, message.length);
  const end = xor(padded.subarray(-tagBytes), padding === 0 ? whole : double(whole));
  const chain = createCipheriv(`${cipher}-cbc`, key, zero).setAutoPadding(false);
  chain.update(padded.subarray(0, -tagBytes));
  return chain.update(end);
}

/** In GF(2^128). */
function double(block: Buffer): Buffer {
  const value = BigInt(`0x${block.toString('hex')}`);
  const doubled = BigInt.asUintN(128, value << 1n) ^ (value >> 127n === 1n ? 0x87n : 0n);
  return Buffer.from(doubled.toString(16).padStart(2 * tagBytes, '0'), 'hex');
}

function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, index) => byte ^ other.readUInt8(index)));
}
