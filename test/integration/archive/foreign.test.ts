/** Archives of the vendor's shape, without a manifest: made by tar-stream, GNU tar and bsdtar. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectBytes, lines, verifyBytes } from '../../support/archive/sample.js';
import { foreignTar, type EntryHeader } from '../../support/archive/tar-blocks.js';

/** In the order of a listing of MSR 2.9.4. */
const tableNames = [
  'client_tokens',
  'tags',
  'events',
  'tuf_files',
  'properties',
  'repositories',
  'crons',
  'private_keys',
];
const root = 'dtr-backup-v2.9.4-online';
const documentCount = 53;
const documentText = (number: number): string =>
  `{"key":"property-${number}","gun":"r/${number % 7}","publishedAt":"2026-01-0${(number % 9) + 1}T00:00:00Z"}`;

type Entries = [EntryHeader, string?][];

function vendorEntries(): Entries {
  const directory = (name: string): Entries[number] => [{ name, type: 'directory', mode: 0o700, mtime: new Date(0) }];
  return [
    directory(`${root}/`),
    directory(`${root}/rethink/`),
    ...tableNames.flatMap((table) => [
      directory(`${root}/rethink/${table}/`),
      ...(table === 'crons'
        ? []
        : Array.from({ length: documentCount }, (_, number): Entries[number] => [
            { name: `${root}/rethink/${table}/${number}`, mode: 0o600, mtime: new Date(1_700_000_000_000) },
            documentText(number),
          ])),
    ]),
  ];
}

test('an archive of the vendor’s shape is sound and unproven', async () => {
  const verdict = await verifyBytes(await foreignTar(vendorEntries()));
  expect(lines(verdict)).toEqual([]);
  expect(verdict).toMatchObject({ state: 'unproven', root, tableCount: 8, documentCount: 371, areKeysChecked: false });
});

test.each([
  ['missing', (entries: Entries) => entries.filter(([{ name }]) => name !== `${root}/rethink/tags/7`)],
  [
    'twice',
    (entries: Entries) =>
      entries.map((entry): Entries[number] =>
        entry[0].name === `${root}/rethink/tags/7` ? [{ ...entry[0], name: `${root}/rethink/tags/6` }, '{}'] : entry,
      ),
  ],
])('a number that is %s is noticed', async (_what, alter) => {
  expect(lines(await verifyBytes(await foreignTar(alter(vendorEntries()))))).toEqual([
    `${root}/rethink/tags/: has entries that are not numbered 0, 1, 2 …`,
  ]);
});

test('an archive of the vendor cut between two entries is invalid', async () => {
  const tar = await foreignTar(vendorEntries());
  expect(lines(await verifyBytes(tar.subarray(0, 512 * 21)))).toEqual([
    'the archive: ends between two entries: it is cut short',
  ]);
});

test('a tar of something else is refused as no backup', async () => {
  const tar = await foreignTar([[{ name: 'package/', type: 'directory' }], [{ name: 'package/index.js' }, 'x']]);
  expect(lines(await verifyBytes(tar))).toEqual(['the archive: holds no document: it is no backup of DTR']);
});

test('inspect shows an archive of the vendor’s', async () => {
  const inspection = await inspectBytes(await foreignTar(vendorEntries()));
  expect(inspection).toMatchObject({ root, manifest: undefined, findings: [] });
  expect(inspection.tables.map(({ directory }) => directory)).toEqual(tableNames);
  expect(inspection.totals).toEqual({
    repositories: 53,
    tags: 53,
    signedCollections: 7,
    events: 53,
    firstEventAt: '2026-01-01T00:00:00.000Z',
    lastEventAt: '2026-01-09T00:00:00.000Z',
  });
});

const programs = ['tar', 'bsdtar'].filter((name) => spawnSync(name, ['--version']).status === 0);

describe('unpacked and packed again', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'foreign-'));
    for (const table of tableNames) {
      mkdirSync(join(directory, root, 'rethink', table), { recursive: true });
      for (let number = 0; number < documentCount; number += 1) {
        writeFileSync(join(directory, root, 'rethink', table, String(number)), documentText(number));
      }
    }
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const formats = { tar: ['gnu', 'ustar', 'posix', 'v7'], bsdtar: ['gnutar', 'ustar', 'pax', 'v7'] };
  const cases = programs.flatMap((name) =>
    formats[name as keyof typeof formats].map((format) => [name, format] as const),
  );
  test.each(cases)('by %s in format %s', async (name, format) => {
    const file = join(directory, `${name}-${format}.out`);
    execFileSync(name, ['-c', '-f', file, '--format', format, '-C', directory, root]);
    const verdict = await verifyBytes(readFileSync(file));
    // v7 has no magic: nothing tells such a header from other bytes but its weak checksum.
    if (format === 'v7') expect(lines(verdict)).toEqual(['the archive: is not a tar']);
    else expect({ state: verdict.state, lines: lines(verdict) }).toEqual({ state: 'unproven', lines: [] });
  });

  test.each(programs)('by %s with ./ before the names, compressed', async (name) => {
    const file = join(directory, `${name}.tgz`);
    execFileSync(name, ['-c', '-z', '-f', file, '-C', directory, `./${root}`]);
    expect((await verifyBytes(readFileSync(file))).state).toBe('unproven');
  });
});
