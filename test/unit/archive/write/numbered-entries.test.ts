// What the writer refuses, by the checks that `verify` makes: so a backup never ends well with what nobody can read.
import { describe, expect, test } from '@jest/globals';
import type { NumberedEntries } from '#src/archive/write/numbered-entries.js';
import { limits } from '#src/archive/layout.js';
import { ArchiveWriter } from '#src/archive/write/writer.js';
import { ExitCode } from '#src/base/exit-codes.js';
import type { Plan } from '#src/model/manifest.js';
import { maxDocumentDepth } from '#src/model/document-limits.js';
import { linesOf } from '../../../support/archive/lines.js';
import { memoryOutput } from '../../../support/archive/sample.js';
import { makePlan } from '../../../support/plan.js';

async function entriesOf(
  kind: 'documents' | 'changes',
  { exitCode = ExitCode.rethinkdb, ...more }: Partial<Plan> & { readonly exitCode?: ExitCode } = {},
): Promise<NumberedEntries> {
  const tags = { directory: 'tags', database: 'dtr2', name: 'tags', primaryKey: 'id', indexes: [], writeHook: null };
  const plan = makePlan({ tables: [tags], ...more });
  const writer = await ArchiveWriter.open(memoryOutput().output, plan, { encoding: 'reql', exitCode });
  return (await writer.table(tags))[kind];
}

async function addAll(entries: NumberedEntries, ...batches: (readonly string[] | Buffer)[]): Promise<number> {
  for (const batch of batches) await entries.add(Buffer.isBuffer(batch) ? batch : linesOf(batch));
  return entries.checksums.count;
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const nested = (depth: number): string => `{"id":2,"v":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
const time = '{"$reql_type$":"TIME","epoch_time":1e12,"timezone":"+00:00"}';

describe('a document is refused', () => {
  test.each([
    ['that is no JSON', ['{"id":2'], 'is not JSON'],
    ['that is cut short', ['{"id":2,"v":"x'], 'is not JSON'],
    ['of two objects', ['{"id":2},{"id":3}'], 'is not JSON'],
    ['that is empty', [''], 'is not JSON'],
    ['that is no object', ['[1]'], 'is JSON, but not an object'],
    ['that is Latin-1', latin1('{"id":2,"v":"\xe9"}\n'), 'is not UTF-8'],
    ['with a name that is Latin-1', latin1('{"id":2,"\xe9":1}\n'), 'is not UTF-8'],
    ['without the primary key', ['{"key":2}'], 'has no primary key ("id")'],
    ['with null for a key', ['{"id":null}'], 'has a primary key of a type that RethinkDB refuses ("id")'],
    ['with an object for a key', ['{"id":{}}'], 'has a primary key of a type that RethinkDB refuses ("id")'],
    ['that comes twice', ['{"id":1}'], 'has the primary key of the document before it ("id")'],
    ['that comes late', ['{"id":0}'], 'has a primary key that does not follow the one before it ("id")'],
    ['nested too deep', [nested(maxDocumentDepth + 1)], `is nested deeper than ${maxDocumentDepth}`],
  ])('%s', async (_, batch, reason) => {
    const entries = await entriesOf('documents');
    await expect(addAll(entries, ['{"id":1}'], batch)).rejects.toMatchObject({
      exitCode: ExitCode.rethinkdb,
      message: `document 1 of dtr2.tags ${reason}`,
    });
  });

  test('that is too large for a query of the server', async () => {
    const bytes = limits.entryBytes.documents + 1;
    const lines = Buffer.alloc(bytes + 1, ' ').fill('\n', bytes);
    await expect(addAll(await entriesOf('documents'), lines)).rejects.toThrow(
      `document 0 of dtr2.tags has ${bytes} bytes: RethinkDB takes at most ${bytes - 1} back`,
    );
  });

  test('that has no form in encoding dtr', async () => {
    const entries = await entriesOf('documents', { documentEncoding: 'dtr' });
    await expect(addAll(entries, ['{"id":1}', '{"id":2}'], [`{"id":3,"v":${time}}`])).rejects.toMatchObject({
      exitCode: ExitCode.rethinkdb,
      message: 'document 2 of dtr2.tags has a TIME that encoding dtr has no form for; use --document-encoding reql',
    });
  });
});

describe('a document is taken', () => {
  test.each([
    [
      'with half an emoji, in key, name and value',
      latin1('{"id":"\xed\xa0\xbd","\xed\xb8\x80":"\xed\xa0\xbd\xed\xb8\x80"}\n'),
    ],
    ['with names that mean something to JavaScript', ['{"__proto__":{"id":1},"constructor":1,"id":2,"toString":null}']],
    ['with an empty name and NUL', ['{"":1,"a\\u0000b":"\\u0000","id":2}']],
    ['nested as deep as RethinkDB was seen to take', [nested(maxDocumentDepth)]],
    ['with numbers at their limits', ['{"a":-0.0,"b":1.7976931348623157e308,"c":5e-324,"d":9007199254740993,"id":2}']],
    ['with a key of 127 bytes', [`{"id":"${'k'.repeat(127)}"}`]],
    ['with an empty key', ['{"id":""}']],
  ])('%s', async (_, batch) => {
    expect(await addAll(await entriesOf('documents'), ['{"id":1}'], batch)).toBe(2);
  });

  test('in any order where a snapshot gives none', async () => {
    expect(await addAll(await entriesOf('documents', { consistency: 'snapshot' }), ['{"id":2}', '{"id":1}'])).toBe(2);
  });
});

describe('a change', () => {
  test.each([
    ['of no known type', '{"type":"other"}', 'is no change of a known type'],
    ['without the primary key', '{"new_val":{"key":1},"type":"add"}', 'has no primary key ("id")'],
    ['of two documents', '{"new_val":{"id":1},"old_val":{"id":2},"type":"change"}', 'changes its primary key ("id")'],
    [
      'of what encoding dtr has no form for',
      `{"new_val":{"id":1,"t":${time}},"type":"add"}`,
      'has a TIME that encoding dtr has no form for; use --document-encoding reql',
    ],
  ])('%s is refused', async (_, text, reason) => {
    const entries = await entriesOf('changes', { documentEncoding: 'dtr', exitCode: ExitCode.archiveInvalid });
    await expect(addAll(entries, ['{"new_val":{"id":0},"type":"add"}', text])).rejects.toMatchObject({
      exitCode: ExitCode.archiveInvalid,
      message: `change 1 of dtr2.tags ${reason}`,
    });
  });

  test('has documents nested as deep as a row', async () => {
    const change = (depth: number) => `{"new_val":${nested(depth)},"type":"add"}`;
    expect(await addAll(await entriesOf('changes'), [change(maxDocumentDepth)])).toBe(1);
    await expect(addAll(await entriesOf('changes'), [change(maxDocumentDepth + 1)])).rejects.toThrow(
      'is nested deeper',
    );
  });
});
