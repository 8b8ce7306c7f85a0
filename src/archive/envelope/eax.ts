/** EAX, which Node has not: AES in counter mode, and CMAC three times. What older openpgp.js wrote under AEAD. */
import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto';

const blockBytes = 16;

export interface EaxMessage {
  readonly text: Buffer;
  readonly tag: Buffer;
  readonly nonce: Buffer;
  readonly bound: Buffer;
}

/** `cipher` is Node's name without its mode. Undefined where the tag does not match. */
export function openEax(cipher: string, key: Buffer, { text, tag, nonce, bound }: EaxMessage): Buffer | undefined {
  const mac = (kind: number, bytes: Buffer): Buffer => {
    return cmac(cipher, key, Buffer.concat([Buffer.alloc(blockBytes - 1), Buffer.from([kind]), bytes]));
  };
  const counter = mac(0, nonce);
  if (!timingSafeEqual(xor(xor(counter, mac(1, bound)), mac(2, text)), tag)) return undefined;
  return createDecipheriv(`${cipher}-ctr`, key, counter).update(text);
}

/** NIST SP 800-38B, over a message of one block at least. */
function cmac(cipher: string, key: Buffer, message: Buffer): Buffer {
  const zero = Buffer.alloc(blockBytes);
  const whole = double(createCipheriv(`${cipher}-cbc`, key, zero).setAutoPadding(false).update(zero));
  const padding = -message.length & (blockBytes - 1);
  const padded = padding === 0 ? message : Buffer.concat([message, Buffer.alloc(padding)]);
  if (padding > 0) padded.writeUInt8(0x80, message.length);
  const end = xor(padded.subarray(-blockBytes), padding === 0 ? whole : double(whole));
  const chain = createCipheriv(`${cipher}-cbc`, key, zero).setAutoPadding(false);
  chain.update(padded.subarray(0, -blockBytes));
  return chain.update(end);
}

/** In GF(2^128). */
function double(block: Buffer): Buffer {
  const value = BigInt(`0x${block.toString('hex')}`);
  const doubled = BigInt.asUintN(128, value << 1n) ^ (value >> 127n === 1n ? 0x87n : 0n);
  return Buffer.from(doubled.toString(16).padStart(2 * blockBytes, '0'), 'hex');
}

/** Of one length. */
function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, index) => byte ^ other.readUInt8(index)));
}
