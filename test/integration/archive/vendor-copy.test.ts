/** The commands of docs/vendor-restore.md that make a copy for the vendor's restore, run as they are there. */
import { expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertBytes } from '../../support/archive/conversion.js';
import {
  makeArchive,
  sampleCertificates,
  sampleRoot,
  sampleTables,
  verifyBytes,
} from '../../support/archive/sample.js';
import { readTarEntries } from '../../support/tar-entries.js';

const hasBsdtar = spawnSync('bsdtar', ['--version']).status === 0;
if (!hasBsdtar) console.warn('SKIPPED: bsdtar is not installed, which docs/vendor-restore.md uses');

/** Indented code of the page, from the line that sets `root` to the end of its block. */
function documentedCommands(): string {
  const page = readFileSync('docs/vendor-restore.md', 'utf8');
  return /^ +root=.*\n(?: +\S.*\n)*/m.exec(page)?.[0] ?? '';
}

(hasBsdtar ? test : test.skip)('the copy holds every document and neither certificates nor manifest', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'vendor-copy-'));
  try {
    const archive = await convertBytes(await makeArchive(sampleTables, { certificates: sampleCertificates }), {
      documentEncoding: 'dtr',
    });
    writeFileSync(join(directory, 'vendor.tar'), archive);
    expect(documentedCommands()).toContain('bare.tar');
    execFileSync('bash', ['-euc', documentedCommands()], { cwd: directory });
    const bare = readFileSync(join(directory, 'bare.tar'));
    const expected = (await readTarEntries(archive)).filter(
      ({ header: { name } }) => name === `${sampleRoot}/` || name.startsWith(`${sampleRoot}/rethink/`),
    );
    const contents = (entries: typeof expected): unknown => entries.map(({ header, body }) => [header.name, body]);
    expect(contents(await readTarEntries(bare))).toEqual(contents(expected));
    expect(expected.length).toBeGreaterThan(5);
    expect(await verifyBytes(bare)).toMatchObject({ state: 'unproven', findings: [] });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
