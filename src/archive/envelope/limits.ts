/** What reading may cost before a message is authenticated. Real archives stay far below. */
const kib = 1024;
const mib = 1024 * kib;

export const limits = {
  /** Everything before the encrypted data: the session keys, of hundreds of recipients. */
  maxSessionKeyBytes: 256 * kib,
  /** How often a passphrase is tried. gpg writes one packet for it. */
  maxPassphraseTries: 8,
  /** How often a private key is tried: once for each packet that names it, or no key (--hidden-recipient). */
  maxPrivateKeyTries: 64,
  /** Of Argon2 for one try. openpgp.js takes 64 MiB, which RFC 9580 recommends where memory is short. */
  maxArgon2MemoryBytes: 256 * mib,
  /** Of all tries of a passphrase: Argon2's memory for each pass, or bytes hashed (at most 62 MiB in gpg). */
  maxDerivationBytes: 2048 * mib,
  /** Of AEAD, each held until its tag is checked: RFC 9580's limit, and what gpg writes. */
  maxAeadChunkBytes: 4 * mib,
} as const;
