/**
 * What reading may cost before anybody has proved to know a passphrase or to have written the archive. Real archives stay
 * far below; a message that needs more is refused by the limit's name.
 */
const kib = 1024;
const mib = 1024 * kib;

export const limits = {
  /** Everything before the encrypted data: the session keys, of hundreds of recipients. */
  maxSessionKeyBytes: 256 * kib,
  /** How often a passphrase is tried. gpg writes one packet for it. */
  maxPassphraseTries: 8,
  /** How often a private key is tried: once for each packet that names it, or that names nobody (--hidden-recipient). */
  maxPrivateKeyTries: 64,
  /** Of Argon2 for one try. openpgp.js takes 64 MiB, which RFC 9580 recommends where memory is short. */
  maxArgon2MemoryBytes: 256 * mib,
  /**
   * What all tries of a passphrase pass through Argon2 (its memory, once for each pass) or a hash (its count; gpg's
   * largest is 62 MiB).
   */
  maxDerivationBytes: 2048 * mib,
  /** Of AEAD, each held whole until its tag is checked: RFC 9580's limit, and what gpg writes. */
  maxAeadChunkBytes: 4 * mib,
  /** Of zstd, held all the time; what `zstd --long=27` needs, and `zstd -d` takes without being told. */
  maxZstdWindowBytes: 128 * mib,
} as const;
