/**
 * Encryption as stock gpg 2.2 reads it: OpenPGP with AES-256 and its integrity check (SEIPD version 1, MDC), without
 * the newer AEAD, and without OpenPGP's own compression.
 */
import { randomBytes } from 'node:crypto';
import { createMessage, encrypt, enums, readKeys, type Key } from 'openpgp';
import { errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Encryption } from '../../model/wrapping.js';
import type { ByteTransform } from '../io/transformed-output.js';

const config = { aeadProtect: false, preferredCompressionAlgorithm: enums.compression.uncompressed };

/** Throws a JobError with exit code 2 for public keys that nothing can be encrypted to. */
export async function prepareEncryption(encryption: Encryption): Promise<ByteTransform> {
  const to =
    'passphrase' in encryption
      ? { passwords: encryption.passphrase.reveal() }
      : { encryptionKeys: await readPublicKeys(encryption.publicKeys) };
  return async function* (chunks) {
    const message = await createMessage({ binary: ReadableStream.from(chunks), format: 'binary' });
    // A session key of our own: openpgp would take AEAD, or another cipher, from the preferences in public keys.
    const sessionKey = { data: randomBytes(32), algorithm: 'aes256' as const };
    yield* await encrypt({ message, ...to, sessionKey, format: 'binary', config });
  };
}

async function readPublicKeys(armoredKeys: string): Promise<Key[]> {
  try {
    const keys = await readKeys({ armoredKeys });
    if (keys.length === 0) throw new Error('no key in it');
    if (keys.some((key) => key.isPrivate())) throw new Error('a private key, and only the public one is needed');
    for (const key of keys) await key.getEncryptionKey();
    return keys;
  } catch (error) {
    throw new JobError(ExitCode.usage, `--encrypt-to: cannot encrypt to these keys: ${errorText(error)}`, {
      cause: error,
    });
  }
}
