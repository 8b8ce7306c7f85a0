/** Changes to any bytes at random, the same for the same seed. */

const blockBytes = 512;

/** Mulberry32: the same numbers for the same seed, on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  }

  /** From 0 to below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[this.below(from.length)] ?? from[0];
  }
}

export interface Mutant {
  readonly how: string;
  readonly bytes: Buffer;
}

export type Mutation = (bytes: Buffer, random: Random) => Buffer;

/** Of any bytes. */
export const byteMutations: Readonly<Record<string, Mutation>> = {
  'bit flips': (bytes, random) => {
    const altered = Buffer.from(bytes);
    for (let count = random.pick([1, 1, 2, 8]); count > 0; count -= 1) {
      const at = random.below(bytes.length);
      altered.writeUInt8(altered.readUInt8(at) ^ (1 << random.below(8)), at);
    }
    return altered;
  },
  // Heads and lengths of packets, members and frames stand there.
  'a byte near the start or the end': (bytes, random) => {
    const altered = Buffer.from(bytes);
    const near = random.below(Math.min(bytes.length, 64));
    altered.writeUInt8(
      random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]),
      random.pick([near, bytes.length - 1 - near]),
    );
    return altered;
  },
  truncation: (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  'a piece taken out': (bytes, random) => splice(bytes, random.below(bytes.length), random.pick([1, 7, 100, 5000])),
  'a piece twice': (bytes, random) => {
    const at = random.below(bytes.length);
    return insert(bytes, at, bytes.subarray(at, at + random.pick([1, 7, 100, 5000])));
  },
  'bytes overwritten': (bytes, random) => {
    const at = random.below(bytes.length);
    const altered = Buffer.from(bytes);
    return altered.fill(random.pick([0, 0x20, 0x30, 0xff]), at, Math.min(bytes.length, at + random.pick([1, 12, 600])));
  },
  'twice in a row': (bytes) => Buffer.concat([bytes, bytes]),
  'something behind it': (bytes, random) => {
    const more = random.pick([
      Buffer.alloc(1),
      Buffer.alloc(10_240),
      Buffer.from('INFO done\n'),
      Buffer.from([0xca, 3, 80, 71, 80]),
    ]);
    return Buffer.concat([bytes, more]);
  },
  'something before it': (bytes, random) => {
    return Buffer.concat([
      random.pick([Buffer.alloc(blockBytes), Buffer.from('INFO[0000] x\n'), Buffer.from('\ufeff')]),
      bytes,
    ]);
  },
};

/** What is around a tar, changed. */
export function mutateBytes(bytes: Buffer, random: Random): Mutant {
  return mutate(bytes, byteMutations, random);
}

/** In one to three of these ways. */
export function mutate(bytes: Buffer, mutations: Readonly<Record<string, Mutation>>, random: Random): Mutant {
  const [first, ...rest] = Object.entries(mutations);
  if (first === undefined) throw new Error('no mutation');
  const hows: string[] = [];
  let altered = bytes;
  for (let count = random.pick([1, 1, 1, 2, 3]); count > 0 && altered.length > 2 * blockBytes; count -= 1) {
    const [how, mutation] = random.pick([first, ...rest]);
    altered = mutation(altered, random);
    hows.push(how);
  }
  return { how: hows.join(', '), bytes: altered };
}

export function splice(bytes: Buffer, at: number, count: number): Buffer {
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + count)]);
}

export function insert(bytes: Buffer, at: number, more: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}
