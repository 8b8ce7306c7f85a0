/**
 * How the data of an OpenPGP message is encrypted, from its first bytes. Decrypted by Node's ciphers, not by openpgp.js:
 * its OCB, which GnuPG 2.3 and later write, reads 2 MB/s and holds a chunk for each processor.
 */
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { DamagedInputError } from '../damaged-input.js';
import { ByteSource } from '../tar/byte-source.js';
import { aeadModes, nonceBytes, type AeadHead } from './aead.js';
import { limits } from './limits.js';
import { prefixBytes } from './mdc.js';
import { need, tags, truncated, type EncryptedMessage } from './packets.js';

export interface Cipher {
  /** As gpg calls it. */
  readonly name: string;
  /** As Node calls it, without the mode; absent where Node does not have it. */
  readonly node?: string;
  readonly keyBytes: number;
  readonly blockBytes: number;
}

/** By OpenPGP's numbers. */
const ciphers: Readonly<Record<number, Cipher>> = {
  1: { name: 'IDEA', keyBytes: 16, blockBytes: 8 },
  2: { name: '3DES', node: 'des-ede3', keyBytes: 24, blockBytes: 8 },
  3: { name: 'CAST5', keyBytes: 16, blockBytes: 8 },
  4: { name: 'Blowfish', keyBytes: 16, blockBytes: 8 },
  7: { name: 'AES-128', node: 'aes-128', keyBytes: 16, blockBytes: 16 },
  8: { name: 'AES-192', node: 'aes-192', keyBytes: 24, blockBytes: 16 },
  9: { name: 'AES-256', node: 'aes-256', keyBytes: 32, blockBytes: 16 },
  10: { name: 'Twofish', keyBytes: 32, blockBytes: 16 },
  11: { name: 'Camellia-128', node: 'camellia-128', keyBytes: 16, blockBytes: 16 },
  12: { name: 'Camellia-192', node: 'camellia-192', keyBytes: 24, blockBytes: 16 },
  13: { name: 'Camellia-256', node: 'camellia-256', keyBytes: 32, blockBytes: 16 },
};

export function cipherOf(id: number): Cipher {
  return ciphers[id] ?? { name: `cipher ${id}`, keyBytes: 0, blockBytes: 0 };
}

export function unreadableCipher(name: string, cipher: string): string {
  return `${name} is encrypted with ${cipher}, which is not supported: decrypt it with gpg --decrypt first`;
}

/** `body` gives what follows the head; with an MDC, `prefix` too. */
export type EncryptedData =
  | { readonly kind: 'mdc'; readonly prefix: Buffer; readonly body: ByteSource }
  | (AeadHead & { readonly kind: 'aead'; readonly body: ByteSource });

const saltBytes = 32;

/**
 * Reads the head. Throws a JobError with exit code 2 for what gpg can read and this cannot, DamagedInputError for data
 * that is truncated or not protected against alteration, and what reading throws.
 */
export async function openData(
  { dataTag: tag, data }: Pick<EncryptedMessage, 'dataTag' | 'data'>,
  name: string,
): Promise<EncryptedData> {
  if (tag === tags.unprotectedData) {
    throw new DamagedInputError(
      'is encrypted without protection against alteration (no MDC), so it cannot be verified',
    );
  }
  const body = new ByteSource(data);
  const version = (await need(body, 1)).readUInt8();
  if (tag === tags.protectedData && version === 1) {
    if (!(await body.fill(prefixBytes))) throw truncated();
    return { kind: 'mdc', prefix: Buffer.from(await body.peek(prefixBytes)), body };
  }
  if (version !== (tag === tags.protectedData ? 2 : 1))
    throw unsupported(name, `in a format that is not supported (packet ${tag}, version ${version})`);
  const head = await need(body, 3);
  const [cipherId = 0, modeId = 0, chunkByte = 0] = head;
  const cipher = cipherOf(cipherId);
  const mode = aeadModes[modeId];
  const chunkBytes = 2 ** (chunkByte + 6);
  if (cipher.node?.startsWith('aes-') !== true) throw new JobError(ExitCode.usage, unreadableCipher(name, cipher.name));
  if (mode === undefined) throw unsupported(name, `in AEAD mode ${modeId}, which is not supported`);
  if (chunkBytes > limits.maxAeadChunkBytes) {
    const limit = `${limits.maxAeadChunkBytes} (--chunk-size 22) is the limit`;
    throw unsupported(name, `in chunks of ${chunkBytes} bytes, and ${limit}`);
  }
  const isPacket20 = tag === tags.aeadData;
  const start = await need(body, isPacket20 ? nonceBytes[mode] : saltBytes);
  const bound = Buffer.concat([Buffer.from([0xc0 | tag, version]), head]);
  return { kind: 'aead', isPacket20, start, cipher, mode, chunkBytes, bound, body };
}

function unsupported(name: string, how: string): JobError {
  return new JobError(ExitCode.usage, `${name} is encrypted ${how}: decrypt it with gpg --decrypt first`);
}
