/** The session keys of an OpenPGP message, decrypted with passphrases and private keys: each is tried in turn. */
import {
  config,
  PublicKeyEncryptedSessionKeyPacket,
  SymEncryptedSessionKeyPacket,
  type Key,
  type KeyID,
} from 'openpgp';
import { errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { DecryptionKeys } from '../../model/envelope.js';
import { cipherOf, unreadableCipher } from './encrypted-data.js';
import { fingerprintOf, readKeyRing } from './key-ring.js';
import { limits } from './limits.js';
import { tags, type SessionKeyPacket } from './packets.js';

/** The outcome of a try: a session key, or why there is none, in a sentence about the archive. */
export type Attempt =
  | {
      readonly kind: 'key';
      readonly key: Buffer;
      /** OpenPGP's number; absent where the data names the cipher. */
      readonly cipher: number | undefined;
      readonly from: 'passphrase' | 'private key';
    }
  | Refusal;
export interface Refusal {
  readonly kind: 'refusal';
  readonly why: string;
}

/** Members of openpgp's packets that its types leave out. */
interface OpenedPacket {
  readonly sessionKey: Uint8Array | null;
  readonly sessionKeyAlgorithm: number | null;
  read(body: Uint8Array): void;
}
interface PassphrasePacket extends OpenedPacket {
  /** Null where the session key is derived from the passphrase, as gpg does. */
  readonly encrypted: Uint8Array | null;
  readonly sessionKeyEncryptionAlgorithm: number | null;
  readonly s2k: {
    readonly type: string;
    /** Passes and exponent of the memory in KiB, of Argon2. */
    readonly t?: number;
    readonly encodedM?: number;
    /** Bytes to hash, of an iterated one. */
    getCount?(): number;
    produceKey(passphrase: string, keyBytes: number, options: typeof config): Promise<Uint8Array>;
  };
  decrypt(passphrase: string): Promise<void>;
}
interface PublicKeyPacket extends OpenedPacket {
  readonly publicKeyID: KeyID;
  decrypt(key: unknown): Promise<void>;
}
interface SecretKeyPacket {
  isDecrypted(): boolean;
  decrypt(passphrase: string): Promise<void>;
}

/**
 * Tries the private keys, then the passphrase, one packet after another, as far as the result is read. Throws a JobError
 * with exit code 2 where no key is given that could fit, or --decrypt-key holds no private key.
 */
export async function* trySessionKeys(
  packets: readonly SessionKeyPacket[],
  { passphrase, privateKey }: DecryptionKeys,
  name: string,
): AsyncGenerator<Attempt, void, undefined> {
  const toKeys = packets.filter(({ tag }) => tag === tags.publicKeySession);
  const toPassphrases = packets.filter(({ tag }) => tag === tags.passphraseSession);
  const useKeys = toKeys.length > 0 && privateKey !== undefined;
  const usePassphrase = toPassphrases.length > 0 && passphrase !== undefined;
  if (!useKeys && !usePassphrase) {
    const options = [
      ...(toPassphrases.length > 0 ? ['--passphrase (better BACKUP_PASSPHRASE or BACKUP_PASSPHRASE_FILE)'] : []),
      ...(toKeys.length > 0 ? ['--decrypt-key'] : []),
    ];
    throw new JobError(ExitCode.usage, `${name} is encrypted: give ${options.join(' or ')}`);
  }
  if (useKeys) {
    const keys = await readPrivateKeys(privateKey.reveal());
    yield* tryPrivateKeys(toKeys, { keys, passphrase: passphrase?.reveal(), name });
  }
  if (usePassphrase) yield* tryPassphrase(toPassphrases, passphrase.reveal(), name);
}

async function readPrivateKeys(armoured: string): Promise<Key[]> {
  try {
    const keys = (await readKeyRing(armoured)).filter((key) => key.isPrivate());
    if (keys.length === 0) throw new Error('only public keys');
    return keys;
  } catch (cause) {
    throw new JobError(ExitCode.usage, `--decrypt-key: no private key in it: ${errorText(cause)}`, { cause });
  }
}

interface PrivateKeys {
  readonly keys: readonly Key[];
  /** Of the keys that are locked. */
  readonly passphrase: string | undefined;
  readonly name: string;
}

async function* tryPrivateKeys(
  packets: readonly SessionKeyPacket[],
  { keys, passphrase, name }: PrivateKeys,
): AsyncGenerator<Attempt, void, undefined> {
  let tries = 0;
  for (const { body } of packets) {
    const packet = readPacket(new PublicKeyEncryptedSessionKeyPacket() as unknown as PublicKeyPacket, body);
    if (packet === undefined) continue;
    for (const key of keys) {
      for (const part of key.getKeys().filter((one) => one.getKeyID().equals(packet.publicKeyID, true))) {
        tries += 1;
        if (tries > limits.maxPrivateKeyTries) {
          yield refusal(`${name} names --decrypt-key more than ${limits.maxPrivateKeyTries} times`);
          return;
        }
        const secret = part.keyPacket as unknown as SecretKeyPacket;
        const which = keys.length > 1 ? `key ${fingerprintOf(key)} of --decrypt-key` : '--decrypt-key';
        const locked = await unlock(secret, passphrase);
        if (locked !== undefined) yield refusal(`${which} ${locked}`);
        else yield await tryPrivateKey(packet, secret, `${name} cannot be opened with ${which}`);
      }
    }
  }
  if (tries === 0) yield refusal(`${name} is encrypted to another key than --decrypt-key`);
}

/** Why it stays locked; undefined when it is open. */
async function unlock(secret: SecretKeyPacket, passphrase: string | undefined): Promise<string | undefined> {
  if (secret.isDecrypted()) return undefined;
  if (passphrase === undefined) return 'is locked: give its passphrase as --passphrase';
  return secret.decrypt(passphrase).then(
    () => undefined,
    () => 'is locked with another passphrase than --passphrase',
  );
}

async function tryPrivateKey(packet: PublicKeyPacket, secret: SecretKeyPacket, failure: string): Promise<Attempt> {
  try {
    await packet.decrypt(secret);
    if (packet.sessionKey === null) throw new Error('no session key in it');
    return keyOf(packet.sessionKey, packet.sessionKeyAlgorithm, 'private key');
  } catch (error) {
    const reason = `its session key is damaged, or for a cipher that is not supported: ${errorText(error)}`;
    return refusal(`${failure}: ${reason}`);
  }
}

async function* tryPassphrase(
  packets: readonly SessionKeyPacket[],
  passphrase: string,
  name: string,
): AsyncGenerator<Attempt, void, undefined> {
  let derivationBytes = 0;
  for (const [index, { body }] of packets.entries()) {
    if (index >= limits.maxPassphraseTries) {
      yield refusal(`${name} has more than ${limits.maxPassphraseTries} passphrases to try`);
      return;
    }
    const packet = readPacket(new SymEncryptedSessionKeyPacket() as unknown as PassphrasePacket, body);
    if (packet === undefined) continue;
    const argon2Bytes = 1024 * 2 ** (packet.s2k.encodedM ?? 0);
    if (argon2Bytes > limits.maxArgon2MemoryBytes) {
      const limit = `${limits.maxArgon2MemoryBytes / (1024 * 1024)} MiB is the limit`;
      yield refusal(`${name} needs 2^${packet.s2k.encodedM} KiB of memory to try a passphrase (Argon2): ${limit}`);
      continue;
    }
    derivationBytes += derivationBytesOf(packet);
    if (derivationBytes > limits.maxDerivationBytes) {
      yield refusal(`${name} has more than ${limits.maxDerivationBytes} bytes to process to try a passphrase`);
      continue;
    }
    yield await tryPassphraseOn(packet, passphrase, name);
  }
}

function derivationBytesOf({ s2k }: PassphrasePacket): number {
  if (s2k.type === 'argon2') return (s2k.t ?? 0) * 1024 * 2 ** (s2k.encodedM ?? 0);
  return s2k.type === 'iterated' ? (s2k.getCount?.() ?? 0) : 0;
}

async function tryPassphraseOn(packet: PassphrasePacket, passphrase: string, name: string): Promise<Attempt> {
  const cipherId = packet.sessionKeyEncryptionAlgorithm ?? packet.sessionKeyAlgorithm ?? 0;
  const cipher = cipherOf(cipherId);
  if (cipher.node === undefined) return refusal(unreadableCipher(name, cipher.name));
  try {
    if (packet.encrypted === null) {
      // Not by `decrypt`: openpgp does not know all of gpg's ciphers (Camellia).
      return keyOf(await packet.s2k.produceKey(passphrase, cipher.keyBytes, config), cipherId, 'passphrase');
    }
    await packet.decrypt(passphrase);
  } catch {
    return refusal(wrongPassphrase(name));
  }
  const named = packet.sessionKeyAlgorithm;
  // A wrong passphrase gives any number for the cipher of the data.
  if (named !== null && cipherOf(named).node === undefined) return refusal(wrongPassphrase(name));
  return keyOf(packet.sessionKey ?? Buffer.alloc(0), named, 'passphrase');
}

/** Undefined for an unknown version and for what is malformed: another packet may fit. */
function readPacket<T extends OpenedPacket>(packet: T, body: Buffer): T | undefined {
  try {
    packet.read(body);
    return packet;
  } catch {
    return undefined;
  }
}

function keyOf(key: Uint8Array, cipher: number | null, from: 'passphrase' | 'private key'): Attempt {
  return { kind: 'key', key: Buffer.from(key), cipher: cipher ?? undefined, from };
}

function refusal(why: string): Refusal {
  return { kind: 'refusal', why };
}

export function wrongPassphrase(name: string): string {
  return `${name} is encrypted with another passphrase (or damaged where it begins)`;
}
