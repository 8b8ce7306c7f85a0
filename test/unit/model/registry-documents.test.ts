// What the documents of blobs, manifests and tags name, in both encodings, and what of them cannot be read.
import { describe, expect, test } from '@jest/globals';
import { encodeDocuments } from '#src/archive/entries/document-encoding.js';
import { byteTextOf } from '#src/model/byte-text.js';
import type { DocumentEncoding } from '#src/model/manifest.js';
import { parseDocument } from '#src/model/json-object.js';
import { registryTables } from '#src/model/registry-documents.js';

const hex = (character: string): string => character.repeat(64);
const time = { $reql_type$: 'TIME', epoch_time: 1_600_000_000.5, timezone: '+00:00' };
const payload = { $reql_type$: 'BINARY', data: 'eyJzY2hlbWFWZXJzaW9uIjoyfQ==' };

function parsed(table: string, document: object, encoding: DocumentEncoding = 'reql'): unknown {
  const lines = encodeDocuments(Buffer.from(`${JSON.stringify(document)}\n`), encoding);
  const read = parseDocument(byteTextOf(lines, 0, lines.length - 1));
  if (!read.ok) throw new Error(read.reason);
  const result = registryTables.get(table)?.(read.value);
  return result?.ok === false ? result.reason : result?.value;
}

describe.each<DocumentEncoding>(['reql', 'dtr'])('in encoding %s', (encoding) => {
  test('a blob has its id and its digest, with or without the algorithm', () => {
    const expected = { kind: 'blob', id: 'ab-1', digest: hex('a') };
    for (const sha256sum of [`sha256:${hex('a')}`, hex('a')])
      expect(parsed('blobs', { id: 'ab-1', sha256sum, createdAt: time }, encoding)).toEqual(expected);
  });

  test('a manifest needs its configuration and its layers, each once, but not foreign or empty ones', () => {
    const layers = [
      {
        digest: `sha256:${hex('a')}`,
        size: 5,
        mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
        urls: [],
      },
      { digest: `sha256:${hex('b')}`, dockerfileLine: 'RUN é', urls: null },
      { digest: `sha256:${hex('b')}` },
      { digest: '', dockerfileLine: 'ENV a=b' },
      null,
      `sha256:${hex('c')}`,
      { digest: `sha256:${hex('d')}`, urls: ['https://elsewhere/'] },
      { digest: `sha256:${hex('e')}`, mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' },
    ];
    const digest = `sha256:${hex('1')}`;
    const manifest = { pk: `org/äpp@${digest}`, digest, repository: 'org/äpp', createdAt: time, payload };
    expect(parsed('manifests', { ...manifest, layers, configDigest: `sha256:${hex('f')}` }, encoding)).toEqual({
      kind: 'manifest',
      repository: 'org/äpp',
      digest: hex('1'),
      needs: [hex('f'), hex('a'), hex('b'), hex('c')],
    });
  });

  test('a tag has its repository, its name and the digest of its manifest', () => {
    const tag = { pk: 'org/app:1', repository: 'org/app', name: '1', digest: `sha256:${hex('1')}`, updatedAt: time };
    const expected = { kind: 'tag', repository: 'org/app', name: '1', digest: hex('1') };
    expect(parsed('tags', { ...tag, digestPK: `org/app@sha256:${hex('1')}` }, encoding)).toEqual(expected);
  });
});

test.each([{}, { layers: null, configDigest: '' }, { layers: [], configDigest: null }])(
  'a list of manifests, %j, needs nothing',
  (about) => {
    expect(parsed('manifests', { digest: hex('1'), repository: 'a', ...about })).toMatchObject({ needs: [] });
  },
);

test('a digest of another algorithm is kept as it is', () => {
  const digest = `sha512:${'0'.repeat(128)}`;
  expect(parsed('tags', { repository: 'a', name: 'b', digest })).toMatchObject({ digest });
});

test.each([
  ['blobs', { id: 'a' }, 'has no sha256sum'],
  ['blobs', { id: 'a', sha256sum: 'sha256:abc' }, 'has no sha256sum'],
  ['blobs', { id: 'a', sha256sum: `sha256:${'a'.repeat(65)}` }, 'has no sha256sum'],
  ['blobs', { id: '', sha256sum: hex('a') }, 'has no id'],
  ['blobs', { id: 'x'.repeat(1001), sha256sum: hex('a') }, 'has no id'],
  ['blobs', { id: 5, sha256sum: hex('a') }, 'has no id'],
  ['manifests', { repository: 'a' }, 'has no digest and repository'],
  ['manifests', { digest: hex('1') }, 'has no digest and repository'],
  ['manifests', { digest: hex('1'), repository: 'a', layers: {} }, 'has layers that are not an array'],
  ['manifests', { digest: hex('1'), repository: 'a', layers: [{}] }, 'has a layer or a configuration without a digest'],
  [
    'manifests',
    { digest: hex('1'), repository: 'a', configDigest: 7 },
    'has a layer or a configuration without a digest',
  ],
  ['tags', { repository: 'a', name: 'b' }, 'has no repository, name and digest'],
  ['tags', { repository: 'a', digest: hex('1') }, 'has no repository, name and digest'],
])('a document of %s, %j, cannot be read: it %s', (table, document, reason) => {
  expect(parsed(table, document)).toBe(reason);
});
