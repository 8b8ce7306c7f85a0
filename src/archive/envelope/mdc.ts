/** OpenPGP data in CFB mode with an MDC (SEIPD version 1): what gpg before 2.3 writes, and what we write. */
import { createDecipheriv, createHash } from 'node:crypto';
import { DamagedInputError } from '../damaged-input.js';
import type { ByteSource } from '../tar/byte-source.js';
import type { Cipher } from './encrypted-data.js';

/** How many encrypted bytes `fitsPrefix` looks at. */
export const prefixBytes = 18;

/** The MDC's packet: a head of two bytes, and the SHA-1 of everything before. */
const mdcBytes = 22;

/**
 * Whether `prefix`, the first encrypted bytes, repeats its two bytes under this key. gpg's own files hold no encrypted
 * session key: any passphrase gives a key, and only this tells a wrong one before all data is read.
 */
export function fitsPrefix(prefix: Buffer, cipher: Cipher, key: Buffer): boolean {
  const { blockBytes } = cipher;
  const plain = decipherOf(cipher, key).update(prefix);
  return plain.readUInt16BE(blockBytes - 2) === plain.readUInt16BE(blockBytes);
}

/** Gives the packets, which are only authentic once it has ended. Throws DamagedInputError there for any alteration. */
export async function* decryptMdc(
  body: ByteSource,
  cipher: Cipher,
  key: Buffer,
): AsyncGenerator<Buffer, void, undefined> {
  const decipher = decipherOf(cipher, key);
  const hash = createHash('sha1');
  let held: Buffer = Buffer.alloc(0);
  let prefixLeft = cipher.blockBytes + 2;
  for await (const chunk of body.rest()) {
    const plain = Buffer.concat([held, decipher.update(chunk)]);
    const ready = plain.subarray(0, Math.max(0, plain.length - mdcBytes));
    held = plain.subarray(ready.length);
    hash.update(ready);
    const content = ready.subarray(prefixLeft);
    prefixLeft = Math.max(0, prefixLeft - ready.length);
    if (content.length > 0) yield content;
  }
  const digest = hash.update(held.subarray(0, 2)).digest();
  if (prefixLeft > 0 || held.readUInt16BE() !== 0xd314 || !digest.equals(held.subarray(2))) {
    throw new DamagedInputError('was altered or cut short: its integrity check (MDC) fails');
  }
}

function decipherOf({ node, blockBytes }: Cipher, key: Buffer): ReturnType<typeof createDecipheriv> {
  return createDecipheriv(`${node}-cfb`, key, Buffer.alloc(blockBytes));
}
