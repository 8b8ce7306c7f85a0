/** A seeded source of everything random in the seed: the same seed gives the same bytes on every machine. */
import { createHash } from 'node:crypto';

/** A field or a row as RethinkDB's JSON has it: TIME and BINARY as `$reql_type$` objects. */
export type Row = Readonly<Record<string, unknown>>;

const words =
  'harbor ledger falcon gateway mosaic beacon quartz orbit copper lantern meadow summit cobalt ember willow atlas'.split(
    ' ',
  );

export class SeedRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, not including, 1 (mulberry32). */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** A whole number, both ends included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.integer(0, choices.length - 1)];
    if (choice === undefined) throw new RangeError('nothing to pick from');
    return choice;
  }

  word(): string {
    return this.pick(words);
  }

  sentence(length: number): string {
    return Array.from({ length }, () => this.word()).join(' ');
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let index = 0; index < length; index += 1) bytes[index] = this.integer(0, 255);
    return bytes;
  }

  hex(digits: number): string {
    return this.bytes(Math.ceil(digits / 2))
      .toString('hex')
      .slice(0, digits);
  }

  uuid(): string {
    const hex = this.hex(32);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  digest(): string {
    return `sha256:${this.hex(64)}`;
  }

  /** A moment of the registry's life, to the millisecond, at times in a zone other than UTC. */
  time(): Row {
    const zone = this.chance(0.1) ? this.pick(['+02:00', '-07:00', '+05:30']) : '+00:00';
    return time(1_519_862_400 + this.integer(0, 50_000_000) + this.integer(0, 999) / 1000, zone);
  }

  /** A PEM block with the look of a certificate or key, but with random bytes. */
  pem(label: string, length: number): string {
    const lines =
      this.bytes(length)
        .toString('base64')
        .match(/.{1,64}/g) ?? [];
    return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
  }
}

export function time(epochSeconds: number, timezone = '+00:00'): Row {
  return { $reql_type$: 'TIME', epoch_time: Math.round(epochSeconds * 1000) / 1000, timezone };
}

export function binary(bytes: Buffer): Row {
  return { $reql_type$: 'BINARY', data: bytes.toString('base64') };
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
