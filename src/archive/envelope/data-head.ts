/** How the data of an OpenPGP message is encrypted, from its first octets. */
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { DamagedInputError } from '../damaged-input.js';
import { aeadModes, nonceBytes, type AeadHead } from './aead.js';
import { cipherOf } from './ciphers.js';
import { limits } from './limits.js';
import { prefixBytes } from './mdc.js';
import { tags } from './message-head.js';
import { cutShort, type EncryptedData } from './packets.js';
import { joined, splitAt, type Split } from './split.js';
import { unreadableCipher } from './session-key.js';

/** `body` is what the head is followed by; with an MDC it is all of the encrypted bytes. */
export type DataHead =
  | { readonly kind: 'mdc'; readonly prefix: Buffer; readonly body: AsyncIterable<Buffer> }
  | (AeadHead & { readonly kind: 'aead'; readonly body: AsyncIterable<Buffer> });

const saltBytes = 32;

/**
 * Reads the head. Throws a JobError with exit code 2 for what gpg can read and this cannot, DamagedInputError for what
 * nobody can rely on, and what reading throws.
 */
export async function openData({ tag, body }: EncryptedData, name: string): Promise<DataHead> {
  if (tag === tags.unprotectedData) {
    throw new DamagedInputError('is encrypted without protection against alteration (no MDC): nothing proves it whole');
  }
  const { head, rest } = await split(body, 1);
  const version = head.readUInt8();
  if (tag === tags.protectedData && version === 1) {
    const { head: prefix, rest: behind } = await split(rest, prefixBytes);
    return { kind: 'mdc', prefix, body: joined(prefix, behind) };
  }
  if (version !== (tag === tags.protectedData ? 2 : 1)) {
    throw refused(name, `is encrypted in a way that is not known here (packet ${tag}, version ${version})`);
  }
  return openAead(tag, version, { rest, name });
}

async function openAead(
  tag: number,
  version: number,
  { rest, name }: { readonly rest: AsyncIterable<Buffer>; readonly name: string },
): Promise<DataHead> {
  const { head, rest: behind } = await split(rest, 3);
  const cipher = cipherOf(head.readUInt8(0));
  const mode = aeadModes[head.readUInt8(1)];
  const chunkBytes = 2 ** (head.readUInt8(2) + 6);
  if (cipher.node?.startsWith('aes-') !== true) {
    throw new JobError(ExitCode.usage, unreadableCipher(name, cipher.name));
  }
  if (mode === undefined)
    throw refused(name, `is encrypted in AEAD mode ${head.readUInt8(1)}, which is not known here`);
  if (chunkBytes > limits.maxAeadChunkBytes) {
    const most = `${limits.maxAeadChunkBytes} (--chunk-size 22) is the limit`;
    throw refused(name, `is encrypted in chunks of ${chunkBytes} bytes, and ${most}`);
  }
  const bound = Buffer.concat([Buffer.from([0xc0 | tag, version]), head]);
  const isPacket20 = tag === tags.aeadData;
  const { head: start, rest: data } = await split(behind, isPacket20 ? nonceBytes[mode] : saltBytes);
  return {
    kind: 'aead',
    ...{ isPacket20, start, cipher, mode, chunkBytes, bound },
    body: data,
  };
}

async function split(chunks: AsyncIterable<Buffer>, count: number): Promise<Split> {
  const { head, rest } = await splitAt(chunks, count);
  if (head.length < count) throw cutShort();
  return { head, rest };
}

function refused(name: string, how: string): JobError {
  return new JobError(ExitCode.usage, `${name} ${how}: decrypt it with gpg --decrypt first`);
}
