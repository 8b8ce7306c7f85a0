/**
 * OpenPGP's data under AEAD: SEIPD version 2 (RFC 9580), and packet 20 as GnuPG 2.3 and later write it. Each chunk is
 * held until its tag proves it, so nothing altered comes out.
 */
import { createDecipheriv, hkdfSync, type CipherOCBTypes } from 'node:crypto';
import { ByteSource } from '../tar/byte-source.js';
import { DamagedInputError } from '../damaged-input.js';
import type { Cipher } from './ciphers.js';
import { openEax } from './eax.js';
import { cutShort } from './packets.js';

export type AeadMode = 'eax' | 'ocb' | 'gcm';

/** By OpenPGP's numbers. 100 is what openpgp.js called GCM before it had one. */
export const aeadModes: Readonly<Record<number, AeadMode>> = { 1: 'eax', 2: 'ocb', 3: 'gcm', 100: 'gcm' };

export const nonceBytes: Readonly<Record<AeadMode, number>> = { eax: 16, ocb: 15, gcm: 12 };

const tagBytes = 16;
const indexBytes = 8;

export interface AeadHead {
  /** The other is SEIPD version 2. */
  readonly isPacket20: boolean;
  /** The nonce of packet 20; in SEIPD version 2 the salt that the key for the data, and its nonces, are derived with. */
  readonly start: Buffer;
  readonly cipher: Cipher;
  readonly mode: AeadMode;
  readonly chunkBytes: number;
  /** The packet's tag and its first octets, which every chunk is bound to. */
  readonly bound: Buffer;
}

/** Gives what is in the chunks of `body`, which begins after the head. Throws DamagedInputError for any alteration. */
export async function* decryptAead(
  body: AsyncIterable<Buffer>,
  head: AeadHead,
  sessionKey: Buffer,
): AsyncGenerator<Buffer, void, undefined> {
  const source = new ByteSource(body);
  const { chunkBytes } = head;
  const { key, nonceOf } = keyAndNonces(head, sessionKey);
  const open = (sealed: Buffer, index: number, bound: Buffer): Buffer => {
    const plain = unseal(head, key, { sealed, nonce: nonceOf(index), bound });
    if (plain === undefined) throw new DamagedInputError('was altered or cut short: its integrity check (AEAD) fails');
    return plain;
  };
  let total = 0;
  let index = 0;
  try {
    for (let isLast = false; !isLast; index += 1) {
      // Behind the last chunk comes one more tag, over nothing, for how much there was.
      isLast = !(await source.fill(chunkBytes + 2 * tagBytes));
      const count = Math.min(chunkBytes, source.available - 2 * tagBytes);
      if (count <= 0) break;
      total += count;
      yield open(source.use(count + tagBytes), index, boundTo(head, index));
    }
    if (source.available !== tagBytes) throw cutShort();
    open(source.use(tagBytes), index, Buffer.concat([boundTo(head, index), bigEndian(total)]));
  } finally {
    await source.close();
  }
}

/** What the tag of chunk `index` covers besides the chunk; in SEIPD version 2 the index is in the nonce alone. */
function boundTo({ bound, isPacket20 }: AeadHead, index: number): Buffer {
  return isPacket20 ? Buffer.concat([bound, bigEndian(index)]) : bound;
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
  const bytes = cipher.keyBytes + counterAt;
  const derived = Buffer.from(hkdfSync('sha256', sessionKey, start, bound, bytes));
  const derivedNonce = derived.subarray(cipher.keyBytes);
  return {
    key: derived.subarray(0, cipher.keyBytes),
    nonceOf: (index) => Buffer.concat([derivedNonce, bigEndian(index)]),
  };
}

function bigEndian(number: number | bigint): Buffer {
  const bytes = Buffer.alloc(indexBytes);
  bytes.writeBigUInt64BE(BigInt(number));
  return bytes;
}

interface Sealed {
  /** With its tag at the end. */
  readonly sealed: Buffer;
  readonly nonce: Buffer;
  readonly bound: Buffer;
}

/** Undefined where the tag does not match. */
function unseal({ cipher, mode }: AeadHead, key: Buffer, { sealed, nonce, bound }: Sealed): Buffer | undefined {
  const text = sealed.subarray(0, -tagBytes);
  const tag = sealed.subarray(-tagBytes);
  if (mode === 'eax') return openEax(`${cipher.node}`, key, { text, tag, nonce, bound });
  const name = `${cipher.node}-${mode}` as CipherOCBTypes;
  const decipher = createDecipheriv(name, key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(bound, { plaintextLength: text.length });
  decipher.setAuthTag(tag);
  const plain = decipher.update(text);
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    return undefined;
  }
}
