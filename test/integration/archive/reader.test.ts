/** The reader gives back what the writer was given, whatever the documents and the chunks. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Readable } from 'node:stream';
import { anyText } from '../../support/any-text.js';
import { readableText } from '../../support/readable-text.js';
import { scaled } from '../../support/scale.js';
import { chunksOf, lines, makeArchive, sampleCertificates, verifyBytes } from '../../support/archive/sample.js';
import { Findings } from '#src/archive/verify/findings.js';
import { compareReqlKeys } from '#src/archive/verify/key-order.js';
import { decodeManifest } from '#src/archive/manifest.js';
import { OwnReader } from '#src/archive/read/own-reader.js';
import { encodeText } from '#src/model/byte-text.js';

interface Read {
  readonly texts: Record<string, string[]>;
  readonly certificates: { path: string; body: Buffer }[];
  readonly tableNames: string[];
  readonly batches: number;
  readonly changes: Readonly<Record<string, string[]>>;
}

async function read(archive: Buffer, chunkBytes: number): Promise<Read> {
  const findings = new Findings();
  const reader = new OwnReader(Readable.from(chunksOf(archive, chunkBytes)), findings);
  const texts: Record<string, string[]> = {};
  const changes: Record<string, string[]> = {};
  const certificates: Read['certificates'] = [];
  let tableNames: string[] = [];
  let batches = 0;
  for await (const item of reader.items()) {
    if (item.kind === 'table') texts[item.directory] = [];
    else if (item.kind === 'certificate') certificates.push({ path: item.path, body: Buffer.from(item.body) });
    else if (item.kind === 'plan') tableNames = item.plan.tables.map(({ name }) => name);
    else if (item.kind === 'manifest') expect(decodeManifest(item.body).tables).toHaveLength(tableNames.length);
    else {
      const found = item.kind === 'documents' ? texts : changes;
      const own = (found[item.directory] ??= []);
      expect(item.firstNumber).toBe(own.length);
      own.push(...item.texts().map(readableText));
      batches += 1;
    }
  }
  expect(findings.first).toEqual([]);
  return { texts, changes, certificates, tableNames, batches };
}

/** Any JSON text, and now and then one that is larger than a batch. */
const members = fc.dictionary(anyText, fc.jsonValue());
const padding = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ max: 600_000, min: 0 }) },
);
const keyOf = (key: string | number): unknown => (typeof key === 'string' ? encodeText(key) : key);

const documents = fc
  .uniqueArray(fc.tuple(fc.oneof(anyText, fc.double({ noNaN: true, noDefaultInfinity: true })), members, padding), {
    selector: ([key]) => JSON.stringify(key),
    maxLength: 30,
  })
  .map((rows) => rows.toSorted(([a], [b]) => compareReqlKeys(keyOf(a), keyOf(b))))
  .map((rows) => rows.map(([id, rest, blanks]) => `${JSON.stringify({ ...rest, id })}${' '.repeat(blanks)}`));

test('any documents come back as they were, in any chunks, and are whole', async () => {
  await fc.assert(
    fc.asyncProperty(documents, documents, fc.integer({ min: 1, max: 100_000 }), async (first, second, wanted) => {
      const tables = [
        { name: 'first', texts: first },
        { name: 'second', texts: second },
      ];
      const archive = await makeArchive(tables, { certificates: sampleCertificates });
      // Single bytes only of small archives: each chunk is a turn of the event loop.
      const chunkBytes = Math.max(wanted, Math.ceil(archive.length / scaled(2000, 20_000)));
      const found = await read(archive, chunkBytes);
      expect(found.texts).toEqual({ first, second });
      expect(found.tableNames).toEqual(['first', 'second']);
      expect(found.certificates).toEqual(sampleCertificates);
      expect(lines(await verifyBytes(archive, chunkBytes))).toEqual([]);
    }),
    { numRuns: scaled(15, 60) },
  );
});

test('any journals come back as they were, between the rows, and are whole', async () => {
  await fc.assert(
    fc.asyncProperty(documents, documents, fc.integer({ min: 1, max: 9 }), async (first, second, parts) => {
      const changesOf = (texts: readonly string[]): string[] =>
        texts.map((text) => `{"new_val":${text.trimEnd()},"old_val":null,"type":"add"}`);
      const tables = [
        { name: 'first', texts: first, changes: changesOf(second) },
        { name: 'second', texts: second, changes: changesOf(first) },
      ];
      const archive = await makeArchive(tables);
      const chunkBytes = Math.ceil(archive.length / (1000 * parts));
      const found = await read(archive, chunkBytes);
      const journals = tables.flatMap(({ name, changes }) => (changes.length > 0 ? [[name, changes]] : []));
      expect(found.changes).toEqual(Object.fromEntries(journals));
      expect(found.texts).toEqual({ first, second });
      expect(lines(await verifyBytes(archive, chunkBytes))).toEqual([]);
    }),
    { numRuns: scaled(6, 40) },
  );
});

test('any altered bit of any documents is a finding', async () => {
  await fc.assert(
    fc.asyncProperty(documents, fc.nat(), fc.nat(7), async (texts, position, bit) => {
      const archive = await makeArchive([{ name: 'first', texts }]);
      const at = position % archive.length;
      archive[at] = (archive[at] ?? 0) ^ (1 << bit);
      expect((await verifyBytes(archive)).state).toBe('invalid');
    }),
    { numRuns: scaled(40, 100) },
  );
});

describe('the batches of documents that the reader gives', () => {
  const texts = Array.from({ length: 2000 }, (_, id) => JSON.stringify({ id, text: 'x'.repeat(700) }));

  test('are the same for any chunks', async () => {
    const archive = await makeArchive([{ name: 'first', texts }]);
    const whole = await read(archive, archive.length);
    expect(whole.batches).toBeGreaterThan(3);
    for (const chunkBytes of [scaled(101, 7), 512, 65_536]) expect(await read(archive, chunkBytes)).toEqual(whole);
  });

  test('hold all documents of a table whose name does not fit the name field', async () => {
    const name = 'n'.repeat(90);
    expect((await read(await makeArchive([{ name, texts }]), 65_536)).texts).toEqual({ [name]: texts });
  });
});

test('a reader that is left early closes its input', async () => {
  let isClosed = false;
  async function* chunks(): AsyncGenerator<Buffer> {
    try {
      yield* chunksOf(await makeArchive(), 512);
    } finally {
      isClosed = true;
    }
  }
  for await (const item of new OwnReader(chunks(), new Findings()).items()) if (item.kind === 'documents') break;
  expect(isClosed).toBe(true);
});
