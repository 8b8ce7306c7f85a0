// What a metadata archive names after all of its changes, within a limit of memory.
import { describe, expect, test } from '@jest/globals';
import { DocumentBatch } from '#src/archive/entries/document-batch.js';
import { Findings } from '#src/archive/verify/findings.js';
import { MetadataIndex } from '#src/jobs/images/metadata-index.js';

const digest = (character: string): string => `sha256:${character.repeat(64)}`;

function batchOf(directory: string, kind: 'documents' | 'changes', rows: readonly unknown[]): DocumentBatch {
  const batch = new DocumentBatch();
  batch.begin({ kind, directory }, 7, 0);
  for (const row of rows) {
    const text = Buffer.from(typeof row === 'string' ? row : JSON.stringify(row));
    batch.add(text, 0, text.length);
  }
  return batch;
}

function indexed(...batches: readonly DocumentBatch[]) {
  const findings = new Findings();
  const index = new MetadataIndex(findings);
  for (const batch of batches) index.add(batch.directory, batch);
  return { index, findings };
}

const blob = (id: string, content: string) => ({ id, sha256sum: digest(content) });
const tag = (name: string, manifest: string) => ({ repository: 'org/app', name, digest: digest(manifest) });
const manifest = (name: string, ...layers: readonly string[]) => {
  return { repository: 'org/app', digest: digest(name), layers: layers.map((layer) => ({ digest: digest(layer) })) };
};

test('documents are taken by id, by repository and digest, and by tag', () => {
  const { index, findings } = indexed(
    batchOf('blobs', 'documents', [blob('x', 'a'), blob('y', 'b')]),
    batchOf('manifests', 'documents', [manifest('1', 'a', 'b')]),
    batchOf('tags', 'documents', [tag('latest', '1')]),
    batchOf('events', 'documents', ['[not an object of these tables']),
  );
  expect([...index.blobs.values()].map(({ id, content }) => [id, `sha256:${content.digest}`])).toEqual([
    ['x', digest('a')],
    ['y', digest('b')],
  ]);
  const [first] = index.manifests.values();
  expect(first?.needs.map((content) => `sha256:${content.digest}`)).toEqual([digest('a'), digest('b')]);
  expect([...index.tags.keys()]).toEqual(['org/app:latest']);
  expect(findings.count).toBe(0);
});

test('changes are applied in the order of the archive', () => {
  const { index } = indexed(
    batchOf('blobs', 'documents', [blob('x', 'a'), blob('y', 'b')]),
    batchOf('blobs', 'changes', [
      { type: 'remove', old_val: blob('x', 'a'), new_val: null },
      { type: 'add', old_val: null, new_val: blob('z', 'c') },
      { type: 'change', old_val: blob('y', 'b'), new_val: blob('y', 'd') },
    ]),
    batchOf('tags', 'documents', [tag('1', '1'), tag('2', '1')]),
    batchOf('tags', 'changes', [
      { type: 'remove', old_val: tag('1', '1') },
      { type: 'uninitial', old_val: tag('2', '1') },
      { type: 'add', new_val: tag('3', '2') },
    ]),
  );
  const found = [...index.blobs.values()].map(({ id, content }) => [id, `sha256:${content.digest}`]);
  expect(found.sort()).toEqual([
    ['y', digest('d')],
    ['z', digest('c')],
  ]);
  expect([...index.tags.keys()]).toEqual(['org/app:3']);
});

test.each([
  ['blobs', { id: 'x' }, 'has no sha256sum: what it names cannot be looked for'],
  ['tags', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`, 'is nested deeper than any that DTR writes'],
])('a document of %s that cannot be read is a finding', (table, row, reason) => {
  const { findings } = indexed(batchOf(table, 'documents', [row]));
  expect(findings.first).toEqual([{ entry: `rethink/${table}/7`, reason }]);
});

describe('beyond the limit of memory it is refused', () => {
  const limited = (...batches: readonly DocumentBatch[]) => {
    const index = new MetadataIndex(new Findings(), 10_000);
    for (const each of batches) index.add(each.directory, each);
  };
  const refusal = expect.objectContaining({
    exitCode: 9,
    message: 'the metadata archive names more blobs, manifests and tags than are compared in 10000 bytes of memory',
  });

  test.each([
    [
      'many documents',
      batchOf(
        'blobs',
        'documents',
        Array.from({ length: 40 }, (_, id) => blob(`${id}`, 'a')),
      ),
    ],
    [
      'many layers',
      batchOf(
        'manifests',
        'documents',
        [manifest('1')].map((row) => ({
          ...row,
          layers: Array.from({ length: 40 }, (_, at) => ({ digest: `sha256:${String(at).padStart(64, '0')}` })),
        })),
      ),
    ],
    [
      'long names',
      batchOf(
        'tags',
        'documents',
        Array.from({ length: 12 }, (_, at) => tag(`${'x'.repeat(900)}${at}`, '1')),
      ),
    ],
  ])('%s', (_what, batch) => {
    expect(() => limited(batch)).toThrow(refusal);
  });

  test('and what is replaced or removed does not count', () => {
    const again = Array.from({ length: 10 }, () => batchOf('blobs', 'documents', [blob('x', 'a'), blob('y', 'b')]));
    const removed = Array.from({ length: 100 }, () => [
      { type: 'add', new_val: manifest('1', 'a', 'b') },
      { type: 'remove', old_val: manifest('1', 'a', 'b') },
    ]);
    expect(() => limited(...again, batchOf('manifests', 'changes', removed.flat()))).not.toThrow();
  });
});
