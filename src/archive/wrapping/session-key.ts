/** From a passphrase or a private key to the session key that an OpenPGP message is encrypted with. */
import { createDecipheriv } from 'node:crypto';
import {
  decryptKey,
  decryptSessionKeys,
  readPrivateKeys,
  type DecryptedSessionKey,
  type Message,
  type PrivateKey,
} from 'openpgp';
import { errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { DecryptionKeys } from '../../model/wrapping.js';
import { tags } from './message-head.js';

/** Of a message what openpgp's types do not tell: its packets, up to the encrypted data. */
export interface EncryptedMessage {
  readonly message: Message<never>;
  readonly packets: readonly Packet[];
}
export interface Packet {
  readonly constructor: { readonly tag?: number };
  readonly version?: number;
  encrypted?: unknown;
}

/** The session keys that the keys give; which of them is the right one may not be known. Throws a JobError with exit code 2. */
export async function readSessionKeys(
  { message, packets }: EncryptedMessage,
  { passphrase, privateKey }: DecryptionKeys,
  name: string,
): Promise<DecryptedSessionKey[]> {
  const has = (wanted: number): boolean => packets.some(({ constructor: { tag } }) => tag === wanted);
  const isToKeys = has(tags.publicKeySession);
  const isToPassphrase = has(tags.passphraseSession);
  const ways = [
    ...(isToPassphrase ? ['--passphrase (better BACKUP_PASSPHRASE or BACKUP_PASSPHRASE_FILE)'] : []),
    ...(isToKeys ? ['--decrypt-key'] : []),
  ];
  if (ways.length === 0) throw new Error('no session key in it');
  if (isToKeys && privateKey !== undefined) {
    const decryptionKeys = await openPrivateKeys(privateKey.reveal(), passphrase?.reveal());
    return decryptSessionKeys({ message, decryptionKeys }).catch(refuse(name, 'to another key than --decrypt-key'));
  }
  if (isToPassphrase && passphrase !== undefined) {
    const passwords = passphrase.reveal();
    return decryptSessionKeys({ message, passwords }).catch(refuse(name, wrongPassphrase));
  }
  throw new JobError(ExitCode.usage, `${name} is encrypted: give ${ways.join(' or ')}`);
}

const wrongPassphrase =
  'with another passphrase (or damaged where it begins, or with a cipher other than AES and 3DES)';

function refuse(name: string, how: string): (cause: unknown) => never {
  return (cause) => {
    throw new JobError(ExitCode.usage, `${name} is encrypted ${how}`, { cause });
  };
}

/** Throws a JobError with exit code 2 for what is no private key, or is locked with another passphrase. */
async function openPrivateKeys(armoredKeys: string, passphrase: string | undefined): Promise<PrivateKey[]> {
  const locked = await readPrivateKeys({ armoredKeys }).catch((cause: unknown) => {
    throw new JobError(ExitCode.usage, `--decrypt-key: no private key in it: ${errorText(cause)}`, { cause });
  });
  const open: PrivateKey[] = [];
  for (const privateKey of locked) {
    if (privateKey.isDecrypted()) open.push(privateKey);
    else if (passphrase === undefined) {
      throw new JobError(ExitCode.usage, '--decrypt-key is locked: give its passphrase as --passphrase');
    } else {
      const how = '--decrypt-key is locked with another passphrase than --passphrase';
      const unlocked = decryptKey({ privateKey, passphrase });
      open.push(
        await unlocked.catch((cause: unknown) => {
          throw new JobError(ExitCode.usage, how, { cause });
        }),
      );
    }
  }
  return open;
}

/** How many of the encrypted bytes `chooseSessionKey` needs. */
export const prefixBytes = 18;

/** What Node has of OpenPGP's ciphers, by openpgp's names; without the check below nobody could tell a wrong passphrase. */
const ciphers: Readonly<
  Record<string, { readonly name: string; readonly keyBytes: number; readonly blockBytes: number }>
> = {
  aes128: { name: 'aes-128-cfb', keyBytes: 16, blockBytes: 16 },
  aes192: { name: 'aes-192-cfb', keyBytes: 24, blockBytes: 16 },
  aes256: { name: 'aes-256-cfb', keyBytes: 32, blockBytes: 16 },
  tripledes: { name: 'des-ede3-cfb', keyBytes: 24, blockBytes: 8 },
};

/**
 * gpg's own files have no encrypted session key: any passphrase gives one. The two bytes that the data begins with, and
 * that stand twice, tell a wrong one from damage before a gigabyte of nonsense has been read.
 */
export function chooseSessionKey(
  candidates: readonly DecryptedSessionKey[],
  prefix: Buffer | undefined,
  name: string,
): { data: Uint8Array; algorithm: NonNullable<DecryptedSessionKey['algorithm']> } {
  for (const { data, algorithm } of candidates) {
    // AEAD proves its key itself, and names the algorithm in the data.
    if (algorithm === null) return { data, algorithm: 'aes256' };
    if (prefix === undefined || repeats(prefix, data, algorithm)) return { data, algorithm };
  }
  return refuse(name, wrongPassphrase)(undefined);
}

function repeats(prefix: Buffer, key: Uint8Array, algorithm: string): boolean {
  const cipher = ciphers[algorithm];
  if (cipher?.keyBytes !== key.length) return false;
  const { name, blockBytes } = cipher;
  const plain = createDecipheriv(name, key, Buffer.alloc(blockBytes)).update(prefix);
  return plain.readUInt16BE(blockBytes - 2) === plain.readUInt16BE(blockBytes);
}
