import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CertificateSet } from '#src/archive/entries/certificates.js';
import type { NumberedEntries } from '#src/archive/write/numbered-entries.js';
import { RunningChecksum } from '#src/archive/entries/running-checksum.js';
import { limits } from '#src/archive/layout.js';
import { ArchiveWriter } from '#src/archive/write/writer.js';
import { ExitCode } from '#src/base/exit-codes.js';
import { withDirectories } from '#src/archive/plan.js';
import type { EntriesChecksum, Plan } from '#src/model/manifest.js';
import { linesOf } from '../../../support/archive/lines.js';
import {
  makeArchive,
  sampleCertificates,
  sampleJournal,
  sampleTables,
  type SampleOptions,
} from '../../../support/archive/sample.js';
import { collectOutput } from '../../../support/collected-output.js';
import { makePlan } from '../../../support/plan.js';
import { scaled } from '../../../support/scale.js';
import { readTarEntries } from '../../../support/tar-entries.js';

const root = 'dtr-backup-v2.5.3';

const origin = { encoding: 'reql', exitCode: ExitCode.rethinkdb } as const;
const noCertificates = new CertificateSet([], ExitCode.replica);

function planOf(...names: string[]): Plan {
  const tables = names.map((name) => ({ database: 'dtr2', name, primaryKey: 'id', indexes: [], writeHook: null }));
  return makePlan({ consistency: 'snapshot', tables: withDirectories(tables) });
}

interface Written {
  readonly tar: Buffer;
  readonly checksums: EntriesChecksum[];
  readonly writes: number[];
}

async function write(tables: Readonly<Record<string, string[][]>>, certificates: string[] = []): Promise<Written> {
  const output = collectOutput();
  const plan = planOf(...Object.keys(tables));
  const writer = await ArchiveWriter.open(output, plan, origin);
  const checksums: EntriesChecksum[] = [];
  for (const table of plan.tables) {
    const { documents } = await writer.table(table);
    for (const batch of tables[table.name] ?? []) await documents.add(linesOf(batch));
    checksums.push(documents.checksums);
  }
  const files = certificates.map((path) => ({ path, body: Buffer.from(`body of ${path}`) }));
  await writer.finish({ finishedAt: new Date(0), certificates: new CertificateSet(files, ExitCode.replica) });
  return { tar: output.bytes(), checksums, writes: output.writes };
}

describe('an archive', () => {
  test('holds the root, the plan, the tables, one entry per document, the certificates, and the manifest last', async () => {
    const { tar } = await write({ tags: [['{"id":1}', '{"id":2}'], ['{"id":3}']], empty: [] }, ['ca/rethink/cert.pem']);
    const entries = await readTarEntries(tar);
    expect(entries.map(({ header }) => header.name)).toEqual([
      `${root}/`,
      `${root}/plan.json`,
      `${root}/rethink/`,
      `${root}/rethink/tags/`,
      `${root}/rethink/tags/0`,
      `${root}/rethink/tags/1`,
      `${root}/rethink/tags/2`,
      `${root}/rethink/empty/`,
      `${root}/certs/`,
      `${root}/certs/ca/`,
      `${root}/certs/ca/rethink/cert.pem`,
      `${root}/manifest.json`,
    ]);
    expect(entries[5]?.body.toString()).toBe('{"id":2}');
    for (const { header } of entries) {
      const isDirectory = header.name.endsWith('/');
      expect(header).toMatchObject({
        type: isDirectory ? 'directory' : 'file',
        mode: isDirectory ? 0o700 : 0o600,
        uid: 0,
        gid: 0,
        mtime: isDirectory ? new Date(0) : new Date('2026-01-02T03:04:05.000Z'),
      });
    }
  });

  test('ends in exactly two zero blocks', async () => {
    const { tar } = await write({ tags: [['{"id":1}']] });
    expect(tar.length % 512).toBe(0);
    expect(tar.subarray(-1024)).toEqual(Buffer.alloc(1024));
    expect(tar.subarray(-1536, -1024).some((byte) => byte !== 0)).toBe(true);
  });

  test('checksums count, bytes, largest body and checksum of each table', async () => {
    const bodies = ['{"id":"a"}', '{"id":"ü€😀"}', '{"id":1}'];
    const { checksums } = await write({ tags: [bodies.slice(0, 2), bodies.slice(2)], empty: [[]] });
    expect(checksums).toEqual([
      {
        count: 3,
        bytes: 10 + 18 + 8,
        largestBytes: 18,
        sha256: createHash('sha256')
          .update(bodies.map((body) => `${body}\n`).join(''))
          .digest('hex'),
      },
      new RunningChecksum('documents').checksums,
    ]);
  });

  test('gives back any documents, whatever their sizes and however they were batched', async () => {
    const size = fc.oneof(fc.nat(2000), fc.integer({ min: 1024 * 1024 - 1200, max: 1024 * 1024 + 1200 }));
    const batches = fc.array(fc.array(size, { maxLength: 5 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(batches, async (sizes) => {
        const texts = sizes.map((batch) =>
          batch.map((length) => JSON.stringify({ filler: 'x'.repeat(length), id: 1 })),
        );
        const entries = await readTarEntries((await write({ t: texts })).tar);
        const bodies = entries.filter(({ header }) => header.name.includes('/rethink/t/') && header.type === 'file');
        expect(bodies.map(({ body }) => body.toString()).join('\n') === texts.flat().join('\n')).toBe(true);
      }),
      { numRuns: scaled(10, 25) },
    );
  });

  test('writes in buffers of a megabyte, and a larger document without a copy', async () => {
    const { writes } = await write({
      t: [Array.from({ length: 5000 }, () => '{"id":1}'), [`{"id":"${'x'.repeat(5_000_000)}"}`]],
    });
    expect(Math.max(...writes)).toBe(5_000_009);
    expect(writes.filter((bytes) => bytes > 1_000_000).length).toBeGreaterThanOrEqual(5);
    expect(writes.length).toBeLessThan(20);
  });

  test('moves a long directory to the prefix field, where every reader finds it', async () => {
    const name = 'a-table-name-that-is-much-longer-than-anybody-would-make-it-but-the-server-allows-it-all-the-same';
    const { tar } = await write({ [name]: [['{"id":1}']] });
    expect((await readTarEntries(tar)).map(({ header }) => header.name)).toContain(`${root}/rethink/${name}/0`);
  });
});

test.each([
  ['tables', sampleTables],
  ['a journal', sampleJournal],
])('the sample of %s is what the writer writes', async (_what, tables) => {
  const openWriter: SampleOptions['openWriter'] = async (output, plan) => {
    const writer = await ArchiveWriter.open(output, plan, origin);
    return {
      table: (table) => writer.table(table),
      finish: ({ finishedAt }, certificates) => writer.finish({ finishedAt: new Date(finishedAt), certificates }),
    };
  };
  const options = { certificates: sampleCertificates };
  const written = await makeArchive(tables, { ...options, openWriter });
  expect(written.equals(await makeArchive(tables, options))).toBe(true);
});

describe('a writer refuses', () => {
  async function open(plan = planOf('tags')): Promise<ArchiveWriter> {
    return ArchiveWriter.open(collectOutput(), plan, origin);
  }
  async function tagsOf(): Promise<NumberedEntries> {
    const plan = planOf('tags');
    const [tags] = plan.tables;
    if (tags === undefined) throw new Error('no table');
    return (await (await open(plan)).table(tags)).documents;
  }

  test('a document that no reader would take, and gives the table no other', async () => {
    const entries = await tagsOf();
    await entries.add(linesOf(['{"id":1}']));
    const lines = Buffer.alloc(limits.entryBytes.documents + 2, ' ');
    lines.fill('\n', lines.length - 1);
    await expect(entries.add(lines)).rejects.toMatchObject({
      exitCode: 7,
      message: `document 1 of dtr2.tags has 134213633 bytes: RethinkDB takes at most 134213632 back`,
    });
    await expect(entries.add(linesOf(['{"id":2}']))).rejects.toThrow('takes at most');
  });

  test('lines of which the last does not end', async () => {
    await expect((await tagsOf()).add(Buffer.from('{"id":1}'))).rejects.toThrow('do not end in a newline');
  });

  test.each<[string, Plan, string]>([
    ['a table whose name is too long for a tar', planOf('t'.repeat(100)), 'name too long for a tar'],
    ['a start that no header can hold', { ...planOf(), startedAt: '1969-12-31T23:59:59Z' }, 'no tar header can hold'],
    ['more tables than a reader takes', planOf(...Array.from({ length: 20_001 }, (_, n) => `t${n}`)), '20001 tables'],
  ])('%s', async (_what, plan, fault) => {
    await expect(open(plan)).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(fault) as unknown });
  });

  test('to finish before every table of its plan was written', async () => {
    const writer = await open(planOf('tags'));
    await expect(writer.finish({ finishedAt: new Date(0), certificates: noCertificates })).rejects.toThrow('not all');
  });
});

test.each([1, 2, 3, 40])('write %d that fails is the failure, and nothing is written after it', async (failing) => {
  const output = collectOutput();
  let writes = 0;
  const write = (chunk: Buffer): Promise<void> => {
    writes += 1;
    return writes === failing ? Promise.reject(new Error('no more')) : output.write(chunk);
  };
  const files = Array.from({ length: 50 }, (_, index) => ({ path: `ca/file\\${index}\\`, body: Buffer.alloc(index) }));
  const run = async (): Promise<void> => {
    const writer = await ArchiveWriter.open({ ...output, write }, planOf(), origin);
    await writer.finish({ finishedAt: new Date(0), certificates: new CertificateSet(files, ExitCode.replica) });
  };
  await expect(run()).rejects.toThrow('no more');
  expect(writes).toBe(failing);
});

describe('the system tar programs', () => {
  const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  const file = join(directory, 'b.tar');
  let ours: string[];
  beforeAll(async () => {
    const long = 'l'.repeat(90);
    const { tar } = await write({ tags: [['{"id":1}', '{"id":2}']], [long]: [['{"id":1}']] }, ['notary/a/b.pem']);
    writeFileSync(file, tar);
    ours = (await readTarEntries(tar)).map(({ header }) => header.name);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test('GNU tar lists the same entries', () => {
    expect(execFileSync('tar', ['-tf', file], { encoding: 'utf8' }).trim().split('\n')).toEqual(ours);
  });

  const hasBsdtar = (() => {
    try {
      execFileSync('bsdtar', ['--version']);
      return true;
    } catch {
      console.warn('SKIPPED: bsdtar is not installed, so it does not judge the archive');
      return false;
    }
  })();
  (hasBsdtar ? test : test.skip)('bsdtar lists the same entries', () => {
    expect(execFileSync('bsdtar', ['-tf', file], { encoding: 'utf8' }).trim().split('\n')).toEqual(ours);
  });
});
