/**
 * Encrypts to OpenPGP as gpg 2.2 reads it: AES-256 with an MDC (SEIPD version 1), without AEAD, and without OpenPGP's own
 * compression.
 */
import { randomBytes } from 'node:crypto';
import { createMessage, encrypt, enums, type Key } from 'openpgp';
import { errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Encryption } from '../../model/envelope.js';
import type { ByteTransform } from './transformed-output.js';
import { fingerprintOf, readKeyRing } from './key-ring.js';

const config = { aeadProtect: false, preferredCompressionAlgorithm: enums.compression.uncompressed };

interface PreparedEncryption {
  readonly encrypt: ByteTransform;
  /** The fingerprints of the keys that can decrypt it; empty for a passphrase. */
  readonly recipients: readonly string[];
}

/** Throws a JobError with exit code 2 where one of the public keys cannot be encrypted to. */
export async function prepareEncryption(encryption: Encryption): Promise<PreparedEncryption> {
  const keys = 'passphrase' in encryption ? [] : await readPublicKeys(encryption.publicKeys);
  const to = 'passphrase' in encryption ? { passwords: encryption.passphrase.reveal() } : { encryptionKeys: keys };
  return {
    recipients: keys.map(fingerprintOf),
    async *encrypt(chunks) {
      const message = await createMessage({ binary: ReadableStream.from(chunks), format: 'binary' });
      // A given session key: otherwise openpgp takes AEAD, or another cipher, from the preferences in public keys.
      const sessionKey = { data: randomBytes(32), algorithm: 'aes256' as const };
      yield* await encrypt({ message, ...to, sessionKey, format: 'binary', config });
    },
  };
}

async function readPublicKeys(armoured: string): Promise<Key[]> {
  try {
    const keys = await readKeyRing(armoured);
    if (keys.some((key) => key.isPrivate())) throw new Error('it holds a private key, and only public keys are needed');
    const faults = await Promise.all(keys.map(faultOf));
    const unusable = faults.filter((fault) => fault !== undefined);
    if (unusable.length > 0) throw new Error(unusable.join('; '));
    return keys;
  } catch (error) {
    throw new JobError(ExitCode.usage, `--encrypt-to: cannot encrypt to these keys: ${errorText(error)}`, {
      cause: error,
    });
  }
}

/** Why nothing can be encrypted to a key; undefined where it can. */
async function faultOf(key: Key): Promise<string | undefined> {
  const name = `key ${fingerprintOf(key)}`;
  if (await key.isRevoked()) return `${name} is revoked`;
  const expires = await key.getExpirationTime();
  if (expires instanceof Date && expires.getTime() <= Date.now()) return `${name} expired ${expires.toISOString()}`;
  return key.getEncryptionKey().then(
    () => undefined,
    (error: unknown) => `${name} has no valid subkey to encrypt to: ${errorText(error)}`,
  );
}
