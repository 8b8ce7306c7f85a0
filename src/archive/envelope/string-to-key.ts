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

/** Of these specifiers: type, hash and salt of 8, or type and salt of 16, and then the cost. */
const specifierBytes: Readonly<Record<number, number>> = { [iterated]: 11, [argon2]: 20 };

/** Undefined for a packet that is malformed or of an unknown version. */
export function derivationOf(packet: Buffer): Derivation | undefined {
  const place = places[packet[0] ?? 0];
  if (place === undefined) return undefined;
  const specifier = packet.subarray(place.specifier);
  const [type] = specifier;
  if (type === undefined || specifier.length < (specifierBytes[type] ?? 0)) return undefined;
  const cipher = packet.readUInt8(place.cipher);
  if (type === iterated) {
    const coded = specifier.readUInt8(10);
    return { cipher, bytes: (16 + (coded & 15)) << ((coded >> 4) + 6) };
  }
  if (type !== argon2) return { cipher, bytes: 0 };
  const passes = specifier.readUInt8(17);
  const exponent = specifier.readUInt8(19);
  const memory = 1024 * 2 ** exponent;
  if (memory <= limits.maxArgon2MemoryBytes) return { cipher, bytes: passes * memory };
  const megabytes = limits.maxArgon2MemoryBytes / (1024 * 1024);
  return {
    cipher,
    bytes: 0,
    refusal: `a passphrase that takes 2^${exponent} KiB of memory to try (Argon2): ${megabytes} MiB is the limit`,
  };
}
