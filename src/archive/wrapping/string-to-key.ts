/** What trying a passphrase on an OpenPGP session key costs, read from the packet before anything is derived. */
import { limits } from './limits.js';

export interface Derivation {
  /** OpenPGP's number of the cipher that the session key, or the data, is encrypted with. */
  readonly cipher: number;
  /** What goes through a hash, or through Argon2 in all its passes. */
  readonly bytes: number;
  /** Why it is not to be done: words that follow "has". */
  readonly refusal?: string;
}

/** Where the string-to-key specifier begins in each version of the packet, and where the cipher stands. */
const places: Readonly<Record<number, { readonly cipher: number; readonly specifier: number }>> = {
  4: { cipher: 1, specifier: 2 },
  5: { cipher: 1, specifier: 3 },
  6: { cipher: 2, specifier: 5 },
};

const iterated = 3;
const argon2 = 4;

/** Undefined for a packet that is malformed or of an unknown version. */
export function derivationOf(packet: Buffer): Derivation | undefined {
  const place = places[packet[0] ?? 0];
  if (place === undefined) return undefined;
  const cipher = packet[place.cipher] ?? 0;
  const [type, ...rest] = packet.subarray(place.specifier);
  if (type === iterated) {
    const coded = rest[9] ?? 0;
    return { cipher, bytes: (16 + (coded & 15)) << ((coded >> 4) + 6) };
  }
  if (type !== argon2) return { cipher, bytes: 0 };
  const [passes = 0, , exponent = 0] = rest.slice(16);
  const memory = 1024 * 2 ** exponent;
  if (memory <= limits.maxArgon2MemoryBytes) return { cipher, bytes: passes * memory };
  const megabytes = limits.maxArgon2MemoryBytes / (1024 * 1024);
  return {
    cipher,
    bytes: 0,
    refusal: `a passphrase that takes 2^${exponent} KiB of memory to try (Argon2): ${megabytes} MiB is the limit`,
  };
}
