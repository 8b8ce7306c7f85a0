/** From passphrases and private keys to the session keys that an OpenPGP message may be encrypted with, each tried in turn. */
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
import { cipherOf } from './ciphers.js';
import { fingerprintOf, readKeyRing } from './key-ring.js';
import { limits } from './limits.js';
import { tags } from './message-head.js';
import type { SessionKeyPacket } from './packets.js';
import { derivationOf } from './string-to-key.js';

/** What trying one way gives: a session key, or why there is none, in a sentence about the archive. */
export type Attempt =
  | {
      readonly key: Buffer;
      /** OpenPGP's number; absent where the data names the cipher. */
      readonly cipher: number | undefined;
      readonly from: 'passphrase' | 'private key';
    }
  | { readonly refusal: string };

/** Of openpgp's packets what its types do not tell. */
interface Opened {
  sessionKey: Uint8Array | null;
  sessionKeyAlgorithm: number | null;
}
interface PassphrasePacket extends Opened {
  /** Null where the passphrase itself gives the session key, as gpg has it. */
  readonly encrypted: Uint8Array | null;
  readonly s2k: { produceKey(passphrase: string, keyBytes: number, options: typeof config): Promise<Uint8Array> };
  read(body: Uint8Array): void;
  decrypt(passphrase: string): Promise<void>;
}
interface PublicKeyPacket extends Opened {
  readonly publicKeyID: KeyID;
  read(body: Uint8Array): void;
  decrypt(key: unknown): Promise<void>;
}
interface SecretKeyPacket {
  isDecrypted(): boolean;
  isMissingSecretKeyMaterial(): boolean;
  decrypt(passphrase: string): Promise<void>;
}

/**
 * Tries the private keys, then the passphrase, one packet after another and no further than the result is read. Throws a
 * JobError with exit code 2 where no key is given that could open it, or --decrypt-key holds no private key.
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
    const ways = [
      ...(toPassphrases.length > 0 ? ['--passphrase (better BACKUP_PASSPHRASE or BACKUP_PASSPHRASE_FILE)'] : []),
      ...(toKeys.length > 0 ? ['--decrypt-key'] : []),
    ];
    throw new JobError(ExitCode.usage, `${name} is encrypted: give ${ways.join(' or ')}`);
  }
  if (useKeys) {
    const keys = await readPrivateKeys(privateKey.reveal());
    yield* tryPrivateKeys(toKeys, { keys, passphrase: passphrase?.reveal(), name });
  }
  if (usePassphrase) yield* tryPassphrase(toPassphrases, passphrase.reveal(), name);
}

async function readPrivateKeys(armoured: string): Promise<Key[]> {
  try {
    const keys = await readKeyRing(armoured);
    if (!keys.some((key) => key.isPrivate())) throw new Error('only public keys');
    return keys.filter((key) => key.isPrivate());
  } catch (cause) {
    throw new JobError(ExitCode.usage, `--decrypt-key: no private key in it: ${errorText(cause)}`, { cause });
  }
}

interface KeyRing {
  readonly keys: readonly Key[];
  /** Of the keys that are locked. */
  readonly passphrase: string | undefined;
  readonly name: string;
}

async function* tryPrivateKeys(
  packets: readonly SessionKeyPacket[],
  { keys, passphrase, name }: KeyRing,
): AsyncGenerator<Attempt, void, undefined> {
  let tries = 0;
  for (const { body } of packets) {
    const packet = readPacket(new PublicKeyEncryptedSessionKeyPacket() as unknown as PublicKeyPacket, body);
    if (packet === undefined) continue;
    for (const key of keys) {
      for (const part of key.getKeys().filter((one) => one.getKeyID().equals(packet.publicKeyID, true))) {
        tries += 1;
        if (tries > limits.maxPrivateKeyTries) {
          yield { refusal: `${name} names --decrypt-key more than ${limits.maxPrivateKeyTries} times` };
          return;
        }
        const secret = part.keyPacket as unknown as SecretKeyPacket;
        const locked = await unlock(secret, passphrase);
        const which = keys.length > 1 ? `key ${fingerprintOf(key)} of --decrypt-key` : '--decrypt-key';
        if (locked !== undefined) yield { refusal: `${which} ${locked}` };
        else yield await attempt(packet, () => packet.decrypt(secret), `${name} cannot be opened with ${which}`);
      }
    }
  }
  if (tries === 0) yield { refusal: `${name} is encrypted to another key than --decrypt-key` };
}

/** Why it stays locked; undefined when it is open. */
async function unlock(secret: SecretKeyPacket, passphrase: string | undefined): Promise<string | undefined> {
  if (secret.isMissingSecretKeyMaterial()) return 'has no secret part: it is on a card, or was not exported';
  if (secret.isDecrypted()) return undefined;
  if (passphrase === undefined) return 'is locked: give its passphrase as --passphrase';
  return secret.decrypt(passphrase).then(
    () => undefined,
    () => 'is locked with another passphrase than --passphrase',
  );
}

async function attempt(packet: PublicKeyPacket, open: () => Promise<void>, failure: string): Promise<Attempt> {
  try {
    await open();
    if (packet.sessionKey === null) throw new Error('no session key in it');
    const cipher = packet.sessionKeyAlgorithm ?? undefined;
    return { key: Buffer.from(packet.sessionKey), cipher, from: 'private key' };
  } catch (error) {
    const reason = `its session key is damaged, or for a cipher that cannot be read here: ${errorText(error)}`;
    return { refusal: `${failure}: ${reason}` };
  }
}

async function* tryPassphrase(
  packets: readonly SessionKeyPacket[],
  passphrase: string,
  name: string,
): AsyncGenerator<Attempt, void, undefined> {
  let bytes = 0;
  for (const [index, { body }] of packets.entries()) {
    if (index >= limits.maxPassphraseTries) {
      yield { refusal: `${name} has more than ${limits.maxPassphraseTries} passphrases to try` };
      return;
    }
    const derivation = derivationOf(body);
    const packet = readPacket(new SymEncryptedSessionKeyPacket() as unknown as PassphrasePacket, body);
    if (derivation === undefined || packet === undefined) continue;
    bytes += derivation.bytes;
    if ('refusal' in derivation || bytes > limits.maxDerivationBytes) {
      const cost = `more than ${limits.maxDerivationBytes} bytes to go through to try a passphrase`;
      yield { refusal: `${name} has ${'refusal' in derivation ? derivation.refusal : cost}` };
      continue;
    }
    const cipher = cipherOf(derivation.cipher);
    if (cipher.node === undefined) {
      yield { refusal: unreadableCipher(name, cipher.name) };
      continue;
    }
    if (packet.encrypted === null) {
      const key = Buffer.from(await packet.s2k.produceKey(passphrase, cipher.keyBytes, config));
      yield { key, cipher: derivation.cipher, from: 'passphrase' };
      continue;
    }
    try {
      await packet.decrypt(passphrase);
    } catch {
      yield { refusal: wrongPassphrase(name) };
      continue;
    }
    const key = Buffer.from(packet.sessionKey ?? []);
    const named = packet.sessionKeyAlgorithm ?? undefined;
    // The packet itself is of a cipher that can be read: another passphrase gives any number for that of the data.
    if (named !== undefined && cipherOf(named).node === undefined) yield { refusal: wrongPassphrase(name) };
    else yield { key, cipher: named, from: 'passphrase' };
  }
}

/** Undefined for a version that openpgp does not know, and for what is malformed: others may be there. */
function readPacket<T extends PassphrasePacket | PublicKeyPacket>(packet: T, body: Buffer): T | undefined {
  try {
    packet.read(body);
    return packet;
  } catch {
    return undefined;
  }
}

export function wrongPassphrase(name: string): string {
  return `${name} is encrypted with another passphrase (or damaged where it begins)`;
}

export function unreadableCipher(name: string, cipher: string): string {
  return `${name} is encrypted with ${cipher}, which cannot be read here: decrypt it with gpg --decrypt first`;
}
