/** OpenPGP packets made by hand: what GnuPG 2.3 writes, which stock gpg 2.2 cannot, and what nobody should. */
import { createCipheriv, createHash, type CipherOCBTypes } from 'node:crypto';
import { noise, passphrase } from './wrapped.js';

/** Of new form. */
export function packet(tag: number, ...body: Buffer[]): Buffer {
  const bytes = Buffer.concat(body);
  const head = Buffer.alloc(6);
  head.writeUInt8(0xc0 | tag, 0);
  head.writeUInt8(0xff, 1);
  head.writeUInt32BE(bytes.length, 2);
  return Buffer.concat([head, bytes]);
}

export const literal = (plain: Buffer): Buffer => packet(11, Buffer.from([0x62, 0, 0, 0, 0, 0]), plain);

/** Iterated and salted, SHA-256; `count` coded as RFC 9580 has it. */
export const specifier = (count: number): Buffer => Buffer.from([3, 8, ...Buffer.alloc(8, 's'), count]);

export const aes256 = 9;
const ocb = 2;
const countByte = 0;

/** A message to the passphrase as GnuPG 2.3 and later write it (SKESK version 5, packet 20), in chunks of 2^(6 + chunkByte). */
export function gnupg24Message(packets: Buffer, chunkByte = 16): Buffer {
  const sessionKey = noise(32);
  const iv = noise(15);
  const head = [5, aes256, ocb];
  const skesk = Buffer.concat([Buffer.from(head), specifier(countByte), iv]);
  const sealedKey = seal(derivedKey(), { nonce: iv, bound: Buffer.from([0xc3, ...head]), text: sessionKey });
  const start = Buffer.alloc(15, 7);
  const data = [1, aes256, ocb, chunkByte];
  const bound = Buffer.from([0xd4, ...data]);
  const pieces: Buffer[] = [];
  const step = 2 ** (6 + chunkByte);
  let index = 0;
  for (let at = 0; at < packets.length; at += step, index += 1) {
    const text = packets.subarray(at, at + step);
    pieces.push(seal(sessionKey, { nonce: nonceOf(start, index), bound: Buffer.concat([bound, big(index)]), text }));
  }
  const end = Buffer.concat([bound, big(index), big(packets.length)]);
  pieces.push(seal(sessionKey, { nonce: nonceOf(start, index), bound: end, text: Buffer.alloc(0) }));
  return Buffer.concat([packet(3, skesk, sealedKey), packet(20, Buffer.from(data), start, ...pieces)]);
}

/** A session key for the passphrase, as SKESK version 4 holds it: the number of its cipher, and the key. */
export function sessionKeyPacket(cipherNumber: number, key: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-cfb', derivedKey(), Buffer.alloc(16));
  const sealed = cipher.update(Buffer.concat([Buffer.of(cipherNumber), key]));
  return packet(3, Buffer.from([4, aes256]), specifier(countByte), sealed);
}

function derivedKey(): Buffer {
  const unit = Buffer.concat([Buffer.alloc(8, 's'), Buffer.from(passphrase.reveal())]);
  const count = 16 << 6;
  const repeated = Buffer.alloc(count, unit);
  return createHash('sha256').update(repeated).digest();
}

interface Sealing {
  readonly nonce: Buffer;
  readonly bound: Buffer;
  readonly text: Buffer;
}

function seal(key: Buffer, { nonce, bound, text }: Sealing): Buffer {
  const cipher = createCipheriv('aes-256-ocb' as CipherOCBTypes, key, nonce, { authTagLength: 16 });
  cipher.setAAD(bound, { plaintextLength: text.length });
  return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

function big(number: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(number));
  return bytes;
}

function nonceOf(start: Buffer, index: number): Buffer {
  const nonce = Buffer.from(start);
  nonce.writeBigUInt64BE(nonce.readBigUInt64BE(7) ^ BigInt(index), 7);
  return nonce;
}

/** A message to the passphrase as gpg 2.2 writes it (SKESK version 4, SEIPD with MDC), but with next to no work to try one. */
export function mdcMessage(packets: Buffer): Buffer {
  const prefix = noise(16);
  const plain = Buffer.concat([prefix, prefix.subarray(-2), packets, Buffer.from([0xd3, 20])]);
  const mdc = createHash('sha1').update(plain).digest();
  const cipher = createCipheriv('aes-256-cfb', derivedKey(), Buffer.alloc(16));
  const skesk = Buffer.concat([Buffer.from([4, aes256]), specifier(countByte)]);
  return Buffer.concat([packet(3, skesk), packet(18, Buffer.from([1]), cipher.update(plain), cipher.update(mdc))]);
}
