/** What is put around an archive and taken off again: whole, cut anywhere, altered anywhere, opened with wrong keys. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { generateKey } from 'openpgp';
import { isAvailable } from '#src/archive/envelope/compression.js';
import { prepareWrapping } from '#src/archive/envelope/envelope.js';
import { Secret } from '#src/base/secret.js';
import type { Wrapping } from '#src/model/envelope.js';
import { memoryOutput } from '../../../support/archive/sample.js';
import { noise, passphrase, unwrapBytes, wrapBytes } from '../../../support/archive/wrapped.js';
import { scaled, someOf } from '../../../support/scale.js';

const hasZstd = isAvailable('zstd');
if (!hasZstd) process.stderr.write('SKIPPED for want of a Node with zstd: archives compressed with it\n');

// A passphrase is made a lot of work on purpose, a key is none.
const keyPair = await generateKey({ userIDs: { name: 'Backup', email: 'backup@example.org' } });
const encryption = { publicKeys: keyPair.publicKey };
const privateKey = new Secret(keyPair.privateKey);
const wrappings: readonly Wrapping[] = [
  {},
  { compression: 'gzip' },
  { encryption },
  { compression: 'gzip', encryption },
  ...(hasZstd ? ([{ compression: 'zstd' }, { compression: 'zstd', encryption }] as const) : []),
];
const megabyte = noise(1_000_000);
const nameOf = (wrapping: Wrapping): string => Object.keys(wrapping).join(' and ') || 'nothing';

describe.each(wrappings.map((wrapping) => [nameOf(wrapping), wrapping] as const))('%s around it', (_name, wrapping) => {
  test.each([0, 1, 511, 512, 65_536, 1_048_575, 1_048_577, 3_000_000])('%d bytes come back', async (bytes) => {
    const plain = noise(bytes);
    for (const chunkBytes of someOf([bytes + 1, 10_240], 2, bytes)) {
      const wrapped = await wrapBytes(plain, wrapping, chunkBytes);
      expect((await unwrapBytes(wrapped, { privateKey })).equals(plain)).toBe(true);
    }
  });

  test('a write fails with the error of the output', async () => {
    const failure = new Error('the disk is full');
    const { output } = memoryOutput();
    const failing = { ...output, write: () => Promise.reject(failure) };
    await using wrapped = (await prepareWrapping(wrapping)).wrap(failing);
    const fill = async (): Promise<void> => {
      for (let count = 0; count < 50; count += 1) await wrapped.write(megabyte);
    };
    await expect(fill()).rejects.toBe(failure);
  });

  test('what is disposed before its commit can not be read as whole', async () => {
    const { output, bytes } = memoryOutput();
    {
      await using wrapped = (await prepareWrapping(wrapping)).wrap(output);
      for (let count = 0; count < 5; count += 1) await wrapped.write(megabyte);
    }
    const left = bytes();
    if (nameOf(wrapping) !== 'nothing')
      await expect(unwrapBytes(left, { privateKey })).rejects.toThrow(/is cut|is damaged|was altered/);
    expect(left.length).toBeLessThanOrEqual(5_000_000);
  });
});

describe('an archive of 1 MB encrypted with a passphrase', () => {
  let encrypted: Buffer;
  beforeAll(async () => {
    encrypted = await wrapBytes(megabyte, { encryption: { passphrase } });
  });
  const damaged = expect.objectContaining({ name: 'DamagedInputError' }) as unknown;
  const refused = expect.objectContaining({ exitCode: 2 }) as unknown;
  const failureOf = (bytes: Buffer): Promise<unknown> =>
    unwrapBytes(bytes, { passphrase }).then(
      () => 'accepted',
      (error: unknown) => error,
    );

  test('comes back with its passphrase, compressed inside or not', async () => {
    expect((await unwrapBytes(encrypted, { passphrase })).equals(megabyte)).toBe(true);
    const both = await wrapBytes(megabyte, { compression: 'gzip', encryption: { passphrase } });
    expect((await unwrapBytes(both, { passphrase })).equals(megabyte)).toBe(true);
  });

  test('is refused wherever it is cut', async () => {
    const cuts = [...Array.from({ length: 100 }, (_, index) => index), ...points(encrypted.length, 25)];
    for (let back = 1; back < 45; back += 1) cuts.push(encrypted.length - back);
    for (const cut of someOf(cuts, 13)) {
      const outcome = await failureOf(encrypted.subarray(0, cut));
      // With less than a packet's head, nothing says that this was encrypted: it is no tar either.
      if (cut < 3) expect(outcome).toBe('accepted');
      else expect({ cut, outcome }).toEqual({ cut, outcome: damaged });
    }
  });

  test('is refused whatever bit is flipped, for the passphrase only where nothing can tell it from a wrong one', async () => {
    const data = startOfData(encrypted);
    const places = [...Array.from({ length: data + 64 }, (_, index) => index), ...points(encrypted.length, 25)];
    for (let back = 1; back < 40; back += 1) places.push(encrypted.length - back);
    for (const place of someOf(places, 13)) {
      const bit = place % 8;
      const altered = Buffer.from(encrypted);
      altered.writeUInt8(altered.readUInt8(place) ^ (1 << bit), place);
      const outcome = await failureOf(altered);
      // A broken first head is no OpenPGP any more; what reads on finds that it is no tar.
      if (place < 3 && outcome === 'accepted') continue;
      const expected = place < data + 18 ? [damaged, refused] : [damaged];
      expect({ place, bit, outcome: expected.some((one) => matches(outcome, one)) }).toEqual({
        place,
        bit,
        outcome: true,
      });
    }
  });

  test.each([0x00, 0x61, 0xc3, 0xca])('is refused with byte %d after its end', async (byte) => {
    expect(await failureOf(Buffer.concat([encrypted, Buffer.alloc(3, byte)]))).toEqual(damaged);
  });

  test('rejects with the error of its input where that fails', async () => {
    const failure = new Error('the disk reports an error');
    const { unwrapInput } = await import('#src/archive/envelope/envelope.js');
    const chunks = async function* (): AsyncGenerator<Buffer> {
      yield encrypted.subarray(0, 500_000);
      throw await Promise.resolve(failure);
    };
    const none = { name: 'memory', chunks: chunks(), [Symbol.asyncDispose]: () => Promise.resolve() };
    const input = await unwrapInput(none, { passphrase });
    const read = async (): Promise<void> => {
      for await (const chunk of input.chunks) expect(chunk.length).toBeGreaterThan(0);
    };
    await expect(read()).rejects.toBe(failure);
  });

  test('needs the passphrase, and says so', async () => {
    await expect(unwrapBytes(encrypted)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^memory is encrypted: give --passphrase/) as unknown,
    });
    for (let index = 0; index < scaled(3, 20); index += 1) {
      const wrong = new Secret(`wrong ${index}`);
      await expect(unwrapBytes(encrypted, { passphrase: wrong })).rejects.toMatchObject({ exitCode: 2 });
    }
  });
});

describe('a gzipped archive', () => {
  test('of several members gives the content of all', async () => {
    const joined = Buffer.concat([gzipSync('one'), gzipSync('two')]);
    expect((await unwrapBytes(joined, {}, 7)).toString()).toBe('onetwo');
  });

  test.each(['zeros', 'letters'])('with %s after its end is judged alike, however they come', async (what) => {
    const rest = Buffer.alloc(100_000, what === 'zeros' ? 0 : 'x');
    const plain = noise(300_000);
    const whole = gzipSync(plain);
    for (const chunkBytes of [whole.length, 1000, 1_000_000]) {
      const unwrapped = unwrapBytes(Buffer.concat([whole, rest]), {}, chunkBytes);
      if (what === 'zeros') expect((await unwrapped).equals(plain)).toBe(true);
      else await expect(unwrapped).rejects.toMatchObject({ name: 'DamagedInputError' });
    }
  });

  test('that ends early inside an encrypted file does not hide that the rest is altered', async () => {
    const encrypted = await wrapBytes(Buffer.concat([gzipSync(noise(1000)), Buffer.alloc(500_000)]), {
      encryption: { passphrase },
    });
    encrypted.writeUInt8(encrypted.readUInt8(300_000) ^ 1, 300_000);
    await expect(unwrapBytes(encrypted, { passphrase })).rejects.toMatchObject({ name: 'DamagedInputError' });
  });
});

(hasZstd ? describe : describe.skip)('an archive compressed with zstd', () => {
  test('of several frames gives the content of all, in any chunks', async () => {
    const frames = [noise(200_000), Buffer.alloc(0), Buffer.alloc(500_000, 'a')];
    const wrapped = await Promise.all(frames.map((frame) => wrapBytes(frame, { compression: 'zstd' })));
    for (const chunkBytes of [1, wrapped[0]?.length ?? 0, 65_536]) {
      const unwrapped = await unwrapBytes(Buffer.concat(wrapped), {}, chunkBytes);
      expect(unwrapped.equals(Buffer.concat(frames))).toBe(true);
    }
  });

  test.each([0, 120])('cut, or followed by bytes %d, is refused', async (byte) => {
    const whole = await wrapBytes(noise(300_000), { compression: 'zstd' });
    for (const bad of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.alloc(5000, byte)])]) {
      for (const chunkBytes of [whole.length, 1000, 1_000_000]) {
        await expect(unwrapBytes(bad, {}, chunkBytes)).rejects.toMatchObject({ name: 'DamagedInputError' });
      }
    }
  });
});

test('zstd is refused in one line by a Node without it', async () => {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]);
  if (hasZstd) await expect(unwrapBytes(head)).rejects.toMatchObject({ name: 'DamagedInputError' });
  else {
    const refused = { exitCode: 2, message: expect.stringContaining('use Node 22.15 or newer') as unknown };
    await expect(unwrapBytes(head)).rejects.toMatchObject(refused);
    await expect(prepareWrapping({ compression: 'zstd' })).rejects.toMatchObject(refused);
  }
});

function points(length: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.floor((index * length) / count));
}

/** Behind the session key's packet come the data's tag, its length and its version. */
function startOfData(encrypted: Buffer): number {
  return 2 + encrypted.readUInt8(1) + 3;
}

function matches(outcome: unknown, expected: unknown): boolean {
  return (expected as { asymmetricMatch(other: unknown): boolean }).asymmetricMatch(outcome);
}
