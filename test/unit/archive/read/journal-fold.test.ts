// What folding does at its edges; that it gives the right rows is shown by test/integration/archive/conversion.
import { describe, expect, test } from '@jest/globals';
import { tmpdir } from 'node:os';
import { DocumentBatch } from '#src/archive/entries/document-batch.js';
import { JournalFold } from '#src/archive/read/journal-fold.js';
import { limits } from '#src/archive/layout.js';
import { ExitCode } from '#src/base/exit-codes.js';

function batchOf(kind: 'documents' | 'changes', texts: readonly string[], entriesBefore = 0): DocumentBatch {
  const batch = new DocumentBatch();
  batch.begin({ kind, directory: 'tags' }, 0, entriesBefore);
  for (const text of texts) batch.add(Buffer.from(text), 0, Buffer.byteLength(text));
  return batch;
}

describe('a journal', () => {
  test('of many new documents gives them in pieces, the last change first', () => {
    const texts = Array.from({ length: 6 }, (_, id) => JSON.stringify({ id, text: 'x'.repeat(100_000) }));
    using fold = new JournalFold(texts.length, tmpdir());
    for (const text of texts) fold.addChanges(batchOf('changes', [`{"new_val":${text},"type":"add"}`]), 'id');
    const pieces = [...fold.added('tags')];
    expect(pieces.length).toBeGreaterThan(1);
    expect(Buffer.concat(pieces).toString()).toBe(
      [...texts]
        .reverse()
        .map((text) => `${text}\n`)
        .join(''),
    );
  });

  test('gives a row that occurs twice once', () => {
    using fold = new JournalFold(1, tmpdir());
    const change = '{"new_val":{"id":1,"a":2},"old_val":{"id":1,"a":1},"type":"change"}';
    fold.addChanges(batchOf('changes', [change], 10), 'id');
    const rows = batchOf('documents', ['{"id":1,"a":1}', '{"id":1,"a":1}']);
    expect(fold.rows(rows, 'id').toString()).toBe('{"id":1,"a":2}\n');
  });

  test.each([
    ['is none', '{"type":"add"}'],
    ['writes its key in two ways', '{"new_val":{"id":1},"old_val":{"id":2},"type":"change"}'],
  ])('with an entry that %s cannot be folded', (_, text) => {
    using fold = new JournalFold(1, tmpdir());
    let failure: unknown;
    try {
      fold.addChanges(batchOf('changes', [text]), 'id');
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ exitCode: ExitCode.archiveInvalid });
    expect(String(failure)).toContain('the journal cannot be folded into the rows: change 0 of table tags');
  });

  test('of more changes than the limit is refused before anything is taken', () => {
    expect(() => new JournalFold(limits.foldedChanges + 1, tmpdir())).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.archiveInvalid,
        message: 'the archive has 4000001 changes: at most 4000000 can be folded into the rows',
      }),
    );
    new JournalFold(limits.foldedChanges, tmpdir())[Symbol.dispose]();
  });
});
