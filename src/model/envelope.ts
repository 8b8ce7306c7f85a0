/** What wraps an archive: compression, then encryption. */
import type { Secret } from '../base/secret.js';

export const compressions = ['gzip', 'zstd'] as const;
export type Compression = (typeof compressions)[number];

/** Who can open an encrypted archive: whoever knows the passphrase, or the owners of OpenPGP keys. */
export type Encryption = { readonly passphrase: Secret } | { readonly publicKeys: string };

/** What is put around an archive, from the inside out. */
export interface Wrapping {
  readonly compression?: Compression;
  readonly encryption?: Encryption;
}

/** What opens encrypted archives. Without either, only archives that are not encrypted can be read. */
export interface DecryptionKeys {
  /** Of the archive, or of the private key where there is one. */
  readonly passphrase?: Secret;
  /** Armoured OpenPGP keys. */
  readonly privateKey?: Secret;
}
