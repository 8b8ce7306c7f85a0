import { describe, expect, test } from '@jest/globals';
import { checksumOf, decodeImageManifest, decodeManifest, decodePlan, encodeManifest } from '#src/archive/manifest.js';
import { RunningChecksum } from '#src/archive/entries/running-checksum.js';
import type { Manifest } from '#src/model/manifest.js';
import { makePlan } from '../../support/plan.js';
import { offsetsIn } from '../../support/scale.js';

const plan = makePlan({
  tables: [
    {
      directory: 'tags',
      database: 'dtr2',
      name: 'tags',
      primaryKey: 'pk',
      indexes: [{ name: 'by_name', function: 'AAAA', query: 'r.row("ü")', multi: false, geo: false, outdated: false }],
      writeHook: null,
    },
  ],
});

const manifest: Manifest = {
  formatVersion: 1,
  planChecksum: checksumOf(encodeManifest(plan)) ?? '',
  finishedAt: '2026-01-02T03:05:00.000Z',
  tables: [
    {
      directory: 'tags',
      documents: new RunningChecksum('documents').checksums,
      changes: new RunningChecksum('documents').checksums,
    },
  ],
  certificates: [],
};

test('a plan comes back as it was, and is refused when any single byte of it is another', () => {
  const bytes = encodeManifest(plan);
  expect(decodePlan(bytes)).toEqual(plan);
  for (const index of offsetsIn(bytes, 7)) {
    const altered = Buffer.from(bytes);
    altered[index] = (altered[index] ?? 0) ^ 1;
    expect(() => decodePlan(altered)).toThrow('plan.json');
  }
});

describe('a manifest', () => {
  test('comes back as it was', () => {
    expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
  });

  test('is refused when any single byte of it is another', () => {
    const bytes = encodeManifest(manifest);
    for (const index of offsetsIn(bytes, 7)) {
      const altered = Buffer.from(bytes);
      altered[index] = (altered[index] ?? 0) ^ 1;
      expect(() => decodeManifest(altered)).toThrow('manifest.json');
    }
  });

  test('is refused when nested deeper than 64, before it is parsed', () => {
    const nested = (depth: number): Buffer => Buffer.from(`${'['.repeat(depth)}${']'.repeat(depth)}`);
    for (const decode of [decodeManifest, decodeImageManifest]) {
      expect(() => decode(nested(64))).toThrow('does not end in its checksum');
      expect(() => decode(nested(65))).toThrow(/manifest.* is nested deeper than 64$/);
      expect(() => decode(Buffer.alloc(4_000_000, '['))).toThrow('is nested deeper than 64');
    }
  });

  test('is refused when cut or lengthened', () => {
    const bytes = encodeManifest(manifest);
    expect(() => decodeManifest(bytes.subarray(0, -1))).toThrow('manifest.json');
    expect(() => decodeManifest(Buffer.concat([bytes, Buffer.from('\n')]))).toThrow('manifest.json');
    expect(() => decodeManifest(Buffer.alloc(0))).toThrow('is not JSON');
  });

  test('of a newer format is refused with the remedy', () => {
    const newer = Buffer.from(encodeManifest(manifest).toString().replace('"formatVersion": 1', '"formatVersion": 2'));
    expect(() => decodeManifest(newer)).toThrow('format version 2; this program reads up to 1: use a newer one');
  });

  test('of another shape is refused with the place', () => {
    const odd = { ...manifest, finishedAt: 'late' };
    expect(() => decodeManifest(encodeManifest(odd))).toThrow('is not of the known shape: finishedAt');
  });
});
