/** What wraps an archive, and the two forms of OpenPGP key files: armoured text and binary. */
import type { Secret } from '../base/secret.js';

export const compressions = ['gzip', 'zstd'] as const;
export type Compression = (typeof compressions)[number];

/** What encrypts an archive: a passphrase, or public OpenPGP keys, armoured. */
export type Encryption = { readonly passphrase: Secret } | { readonly publicKeys: string };

/** What is put around an archive: compression first, then encryption. */
export interface Wrapping {
  readonly compression?: Compression | undefined;
  readonly encryption?: Encryption | undefined;
}

/** What decrypts archives; nothing for archives that are not encrypted. */
export interface DecryptionKeys {
  /** Of the archive, or of the private key where there is one. */
  readonly passphrase?: Secret | undefined;
  /** Armoured OpenPGP keys. */
  readonly privateKey?: Secret | undefined;
}

/** The first packet of a binary key ring, and its name in armour. */
const kinds: Readonly<Record<number, string>> = { 5: 'PRIVATE', 6: 'PUBLIC' };

/** A binary key ring as an armoured block; undefined for anything else. */
export function armouredKeyRing(bytes: Buffer): string | undefined {
  const [first = 0] = bytes;
  if ((first & 0x80) === 0) return undefined;
  const kind = kinds[(first & 0x40) === 0 ? (first & 0x3f) >> 2 : first & 0x3f];
  if (kind === undefined) return undefined;
  const lines = bytes.toString('base64').replaceAll(/.{64}/g, '$&\n');
  return `-----BEGIN PGP ${kind} KEY BLOCK-----\n\n${lines}\n-----END PGP ${kind} KEY BLOCK-----\n`;
}
