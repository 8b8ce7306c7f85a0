/**
 * No alteration of an archive goes unnoticed: every byte is flipped, and the archive is cut at every byte; one in 307 of
 * them unless all is tried.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { gunzipSync, gzipSync } from 'node:zlib';
import { lines, makeArchive, sampleCertificates, sampleJournal, verifyBytes } from '../../support/archive/sample.js';
import { isFull, offsetsIn, scaled } from '../../support/scale.js';

const oneIn = 307;
/** Of the gzipped archive, which is small. */
const oneInGzip = 61;

describe.each([
  ['an archive of ours', undefined, { tableCount: 3, documentCount: 5, changeCount: 0, areKeysChecked: true }],
  ['one with a journal', sampleJournal, { tableCount: 3, documentCount: 4, changeCount: 4, areKeysChecked: false }],
])('%s', (_what, tables, counts) => {
  let archive: Buffer;
  beforeAll(async () => {
    archive = await makeArchive(tables, { certificates: sampleCertificates });
  });

  test('is whole', async () => {
    expect(lines(await verifyBytes(archive))).toEqual([]);
    expect(await verifyBytes(archive)).toMatchObject({ state: 'whole', certificateCount: 2, ...counts });
  });

  // A chunk is a turn of the event loop for each of the layers that it passes.
  test.each(isFull ? [1, 2, 3, 511, 512, 513] : [7, 511, 512, 513])(
    'is the same in chunks of %d bytes',
    async (chunkBytes) => {
      expect(await verifyBytes(archive, chunkBytes)).toEqual(await verifyBytes(archive));
      const damaged = Buffer.from(archive);
      damaged[2600] = (damaged[2600] ?? 0) ^ 1;
      expect(await verifyBytes(damaged, chunkBytes)).toEqual(await verifyBytes(damaged));
    },
  );

  // No byte is excepted: there is none that does not matter.
  test.each([0x01, 0xff, 0x20, 0x10])('with any byte changed by xor %d is invalid', async (mask) => {
    const unnoticed: number[] = [];
    for (const at of offsetsIn(archive, oneIn, mask)) {
      const altered = Buffer.from(archive);
      altered[at] = (altered[at] ?? 0) ^ mask;
      if ((await verifyBytes(altered)).state !== 'invalid') unnoticed.push(at);
    }
    expect(unnoticed).toEqual([]);
  });

  test('cut at any byte is invalid, and says that it is cut or no tar', async () => {
    const unnoticed: number[] = [];
    for (const length of offsetsIn(archive, oneIn)) {
      const verdict = await verifyBytes(archive.subarray(0, length));
      if (verdict.state !== 'invalid' || verdict.findingCount !== 1) unnoticed.push(length);
      expect(lines(verdict).join()).toMatch(/cut short|too short/);
    }
    expect(unnoticed).toEqual([]);
  });

  test('with a byte too many anywhere is invalid', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(archive.length), fc.nat(255), async (at, byte) => {
        const longer = Buffer.concat([archive.subarray(0, at), Buffer.from([byte]), archive.subarray(at)]);
        expect((await verifyBytes(longer)).state).toBe('invalid');
      }),
      { numRuns: scaled(25, 100) },
    );
  });
});

describe('a gzipped archive', () => {
  let archive: Buffer;
  beforeAll(async () => {
    archive = await makeArchive(undefined, { certificates: sampleCertificates });
  });

  test('is whole', async () => {
    expect((await verifyBytes(gzipSync(archive), 7)).state).toBe('whole');
  });

  test('cut at any byte is invalid', async () => {
    const compressed = gzipSync(archive);
    for (const length of offsetsIn(compressed, oneInGzip)) {
      expect((await verifyBytes(compressed.subarray(0, length))).state).toBe('invalid');
    }
  });

  test('with any byte flipped is invalid, unless the same archive comes out of it', async () => {
    // Bytes 3 to 9 are such (RFC 1952: a flag, time, hints, system), and so are some that point to an equal text.
    const compressed = gzipSync(archive);
    for (const at of offsetsIn(compressed, oneInGzip)) {
      const altered = Buffer.from(compressed);
      altered[at] = (altered[at] ?? 0) ^ 0x01;
      if ((await verifyBytes(altered)).state !== 'invalid') expect(gunzipSync(altered).equals(archive)).toBe(true);
    }
  });
});
