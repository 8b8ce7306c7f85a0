/** Archives whose manifest and documents disagree, though every checksum of theirs is right: bugs, or forgery. */
import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import {
  lines,
  makeArchive,
  sampleCertificates,
  sampleJournal,
  sampleRoot,
  verifyBytes,
} from '../../support/archive/sample.js';
import type { EntriesChecksum, Manifest, Plan } from '#src/model/manifest.js';
import { alterHeader, joinEntries, splitEntries } from '../../support/archive/tar-blocks.js';
import { checkArchive } from '../../support/archive-check.js';

async function findingsOf(altered: Buffer): Promise<string[]> {
  const verdict = await verifyBytes(altered);
  expect(verdict.state).toBe('invalid');
  return lines(verdict);
}

describe('the manifest', () => {
  const altered = async (change: (checksums: EntriesChecksum) => EntriesChecksum): Promise<string[]> => {
    const alterManifest = (manifest: Manifest): Manifest => ({
      ...manifest,
      tables: manifest.tables.map((table) =>
        table.directory === 'tags' ? { ...table, documents: change(table.documents) } : table,
      ),
    });
    return findingsOf(await makeArchive(undefined, { alterManifest }));
  };

  test.each([
    ['count', 'has 3 entries, the manifest says 4'],
    ['bytes', 'has 99 bytes, the manifest says 100'],
    ['largestBytes', 'has 37 bytes at most, the manifest says 38'],
  ] as const)('with another %s is refused, though the checksums are right', async (member, reason) => {
    const change = (checksums: EntriesChecksum): EntriesChecksum => ({ ...checksums, [member]: checksums[member] + 1 });
    expect(await altered(change)).toEqual([`${sampleRoot}/rethink/tags/: ${reason}`]);
  });

  test('with another checksum of a table is refused', async () => {
    const sha256 = createHash('sha256').update('other').digest('hex');
    expect(await altered((checksums) => ({ ...checksums, sha256 }))).toEqual([
      `${sampleRoot}/rethink/tags/: does not match its SHA-256: it was altered`,
    ]);
  });

  test('that says of a table with changes that it was only scanned is refused', async () => {
    const alterPlan = (plan: Plan): Plan => ({ ...plan, consistency: 'scan' });
    expect(await findingsOf(await makeArchive(sampleJournal, { alterPlan }))).toContain(
      `${sampleRoot}/changes/tags/: has changes, though the plan says that tables are scanned`,
    );
  });

  test('with another place of the changes among the rows is refused', async () => {
    const alterManifest = (manifest: Manifest): Manifest => ({
      ...manifest,
      tables: manifest.tables.map((table) =>
        table.directory === 'tags' ? { ...table, changes: { ...table.changes, orderSha256: '0'.repeat(64) } } : table,
      ),
    });
    expect(await findingsOf(await makeArchive(sampleJournal, { alterManifest }))).toEqual([
      `${sampleRoot}/changes/tags/: has entries in other places than they were written to`,
    ]);
  });

  const whole: readonly [string, (manifest: Manifest) => Manifest, string][] = [
    [
      'of a newer format',
      (manifest) => ({ ...manifest, formatVersion: 2 as never }),
      'manifest.json: has format version 2; this program reads up to 1: use a newer one',
    ],
    [
      'of another shape',
      (manifest) => ({ ...manifest, tables: 'none' as never }),
      'manifest.json: is not of the known shape',
    ],
    [
      'of another plan',
      (manifest) => ({ ...manifest, planChecksum: '0'.repeat(64) }),
      'manifest.json: belongs to another plan',
    ],
    [
      'in another order',
      (manifest) => ({ ...manifest, tables: manifest.tables.toReversed() }),
      'manifest.json: names other tables than the plan',
    ],
    [
      'with a table twice',
      (manifest) => ({ ...manifest, tables: [...manifest.tables, ...manifest.tables.slice(0, 1)] }),
      'manifest.json: names other tables than the plan',
    ],
    [
      'without a table',
      (manifest) => ({ ...manifest, tables: manifest.tables.slice(1) }),
      'manifest.json: names other tables than the plan',
    ],
    [
      'without a certificate',
      (manifest) => ({ ...manifest, certificates: [] }),
      'certs/ca/rethink/cert.pem: is not in the manifest',
    ],
    [
      'with an altered certificate',
      (manifest) => ({ ...manifest, certificates: manifest.certificates.map((file) => ({ ...file, bytes: 1 })) }),
      'certs/ca/rethink/cert.pem: has 63 bytes, the manifest says 1',
    ],
  ];
  test.each(whole)('%s is refused', async (_what, alterManifest, reason) => {
    const found = await findingsOf(
      await makeArchive(undefined, { certificates: sampleCertificates.slice(0, 1), alterManifest }),
    );
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(reason);
  });
});

describe('the plan', () => {
  const altered: readonly [string, (plan: Plan) => Plan, readonly string[]][] = [
    [
      'of a newer format',
      (plan) => ({ ...plan, formatVersion: 2 as never }),
      ['the archive: plan.json has format version 2; this program reads up to 1: use a newer one'],
    ],
    [
      'of another shape',
      (plan) => ({ ...plan, mode: 'none' as never }),
      ['the archive: plan.json is not of the known shape: mode: Invalid option: expected one of "online"|"offline"'],
    ],
    [
      'without a table',
      (plan) => ({ ...plan, tables: plan.tables.slice(0, -1) }),
      [`${sampleRoot}/rethink/tuf_files/: is not in the plan`, `${sampleRoot}/rethink/tuf_files/0: is not in the plan`],
    ],
    [
      'with a directory that is not the table’s',
      (plan) => ({ ...plan, tables: plan.tables.map((table) => ({ ...table, directory: `x${table.directory}` })) }),
      [`${sampleRoot}/plan.json: dtr2.empty has the directory xempty`],
    ],
    [
      'with a table twice',
      (plan) => ({ ...plan, tables: [...plan.tables, ...plan.tables.slice(0, 1)] }),
      [
        `${sampleRoot}/plan.json: two tables share a directory`,
        `${sampleRoot}/plan.json: a table is named twice`,
        'the archive: cannot be read without its plan',
      ],
    ],
    [
      'of a table that is not there',
      (plan) => ({ ...plan, tables: [...plan.tables, { ...ghost, directory: 'ghost' }] }),
      [`${sampleRoot}/manifest.json: names other tables than the plan`],
    ],
  ];
  const ghost = { database: 'dtr2', name: 'ghost', primaryKey: 'id', indexes: [], writeHook: null };

  test.each(altered)('%s is refused', async (_what, alterPlan, reasons) => {
    expect(await findingsOf(await makeArchive(undefined, { alterPlan }))).toEqual(expect.arrayContaining([...reasons]));
  });
});

test('the root of another version than the plan names is refused', async () => {
  const archive = await makeArchive(undefined, { alterPlan: (plan) => ({ ...plan, dtrVersion: '2.9.5' }) });
  const { entries, rest } = splitEntries(archive);
  const renamed = entries.map((entry) => ({
    ...entry,
    bytes: alterHeader(entry.bytes, 0, 'dtr-backup-v'.length, '2.9.4'),
  }));
  expect(await findingsOf(joinEntries(renamed, rest))).toEqual([
    `${sampleRoot}/: should be dtr-backup-v2.9.5-online/ by the plan`,
  ]);
});

test('two tables of one name lie in two directories', async () => {
  const tables = [
    { name: 'tags', texts: ['{"id":1}'] },
    { database: 'other', name: 'tags', primaryKey: 'pk', texts: ['{"pk":1}'] },
  ];
  const archive = await makeArchive(tables);
  expect((await verifyBytes(archive)).state).toBe('whole');
  expect((await checkArchive(archive)).documents('other.tags')).toEqual(['{"pk":1}']);
});

describe('documents', () => {
  const findingsFor = async (texts: string[], primaryKey = 'id'): Promise<string[]> => {
    return findingsOf(await makeArchive([{ name: 'tags', primaryKey, texts }]));
  };
  const entry = (number: number): string => `${sampleRoot}/rethink/tags/${number}`;

  test('that are no JSON, or no object, are named, and nothing of them is told', async () => {
    expect(
      await findingsFor(['{"id":1}', '{"id":2,"secret":}', '[{"id":3}]', '"text"', 'null', '', '{"id":4}{"id":5}']),
    ).toEqual([
      `${entry(1)}: is not JSON`,
      `${entry(2)}: is JSON, but not an object`,
      `${entry(3)}: is JSON, but not an object`,
      `${entry(4)}: is JSON, but not an object`,
      `${entry(5)}: is not JSON`,
      `${entry(6)}: is not JSON`,
    ]);
  });

  test('with one primary key are named', async () => {
    expect(await findingsFor(['{"id":1}', '{"id":1.0}'])).toEqual([
      `${entry(1)}: has the primary key of the document before it ("id")`,
    ]);
    expect(await findingsFor(['{"id":1}', '{"id":2}', '{"id":1}'])).toEqual([
      `${entry(2)}: has a primary key that does not follow the one before it ("id")`,
    ]);
  });

  test('without a primary key are named', async () => {
    expect(await findingsFor(['{"id":1}', '{"pk":2}'])).toEqual([`${entry(1)}: has no primary key ("id")`]);
    expect(await findingsFor(['{"pk":1}', '{"id":2}'])).toEqual([`${entry(0)}: has no primary key ("id")`]);
    expect(await findingsFor(['{"id":null}'])).toEqual([
      `${entry(0)}: has a primary key of a type that RethinkDB refuses ("id")`,
    ]);
    expect(await findingsFor(['{"id":1}'], 'constructor')).toEqual([`${entry(0)}: has no primary key ("constructor")`]);
  });

  test('no finding is told beyond the hundredth', async () => {
    const verdict = await verifyBytes(
      await makeArchive([{ name: 'tags', texts: Array.from({ length: 150 }, () => 'x') }]),
    );
    expect(verdict.findings).toHaveLength(100);
    expect(verdict.findingCount).toBe(150);
  });
});
