// Which blobs a manifest names, and as what.
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { parseReferences, type ManifestReferences } from '#src/archive/images/registry-manifest.js';

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('a manifest', () => {
  const named = (digest: string, more = {}): object => ({ digest, ...more });
  const [a, b, c] = [`sha256:${hex('a')}`, `sha256:${hex('b')}`, `sha256:${hex('c')}`];

  const of = (blobs: readonly string[], manifests: readonly string[] = []) => ({ blobs, manifests });

  test.each<[string, unknown, ManifestReferences | undefined]>([
    ['of an image', { schemaVersion: 2, config: named(a), layers: [named(b), named(c), named(b)] }, of([a, b, c])],
    ['of schema 1', { schemaVersion: 1, fsLayers: [{ blobSum: b }, { blobSum: c }] }, of([b, c])],
    ['that lists others', { manifests: [named(a, { platform: {} }), named(b)], subject: named(c) }, of([], [a, b])],
    [
      'with layers that are kept elsewhere',
      {
        layers: [
          named(a, { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' }),
          named(b, { urls: ['https://mcr.example/b'] }),
          named(c, { mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip' }),
        ],
      },
      of([]),
    ],
    ['with the same among its layers and its manifests', { layers: [named(a)], manifests: [named(a)] }, of([a], [a])],
    ['that is the configuration of an image', { architecture: 'amd64', rootfs: { diff_ids: [a] } }, undefined],
    ['with nonsense in its lists', { layers: [null, 1, 'x', { digest: 7 }, named(a)], fsLayers: a }, of([a])],
    ['that is a list itself', [named(a)], undefined],
    ['that is no object', null, undefined],
  ])('%s', (_what, manifest, expected) => {
    expect(parseReferences(Buffer.from(JSON.stringify(manifest)))).toEqual(expected);
  });

  test('that is no JSON, or nested beyond reason, is none', () => {
    expect(parseReferences(Buffer.from('{"layers":'))).toBeUndefined();
    expect(parseReferences(Buffer.from(`{"layers":${'['.repeat(1e6)}`))).toBeUndefined();
  });

  test.each([
    [64, of([])],
    [65, undefined],
  ])('that is nested %d deep is %j', (depth, expected) => {
    const lists = `${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}`;
    expect(parseReferences(Buffer.from(`{"layers":${lists}}`))).toEqual(expected);
  });
});
