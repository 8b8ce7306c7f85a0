/** What is read of an accepted archive is what `tar -x` makes of it: GNU tar, and bsdtar where there is one. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Findings } from '#src/archive/verify/findings.js';
import { entriesDirectory } from '#src/archive/layout.js';
import { openArchive } from '#src/archive/read/open-archive.js';
import { oddTar, paxHeader, rawEntry } from '../../support/archive/odd-tars.js';
import { chunksOf, lines, makeArchive, sampleRoot, sampleTables, verifyBytes } from '../../support/archive/sample.js';
import { joinEntries, splitEntries } from '../../support/archive/tar-blocks.js';
import { scaled } from '../../support/scale.js';

const hasBsdtar = spawnSync('bsdtar', ['--version']).status === 0;
const judges = ['tar', ...(hasBsdtar ? ['bsdtar'] : [])];
const isDocumentOrCertificate = /^[^/]+\/(?:rethink\/[^/]+\/\d+|certs\/(?:ca|notary)\/.+)$/s;

const seeds = scaled(200, 3000);
let directory: string;
let runs = 0;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

type Tree = Record<string, string>;

/** What our reader takes for the documents and certificates of an archive; undefined where there is a finding. */
async function read(archive: Buffer): Promise<Tree | undefined> {
  const findings = new Findings();
  const opened = await openArchive(Readable.from(chunksOf(archive, 700)), findings);
  if (opened.kind === 'images') throw new Error('taken for an image archive');
  const { reader } = opened;
  const tree: Tree = {};
  for await (const item of reader.items()) {
    const root = reader.root ?? '';
    if (item.kind === 'certificate') tree[`${root}/certs/${item.path}`] = item.body.toString();
    else if (item.kind === 'documents') {
      const at = entriesDirectory(root, item.kind, item.directory);
      for (let index = 0; index < item.count; index += 1)
        tree[`${at}${item.firstNumber + index}`] = item.body(index).toString();
    }
  }
  return findings.count > 0 ? undefined : tree;
}

/** The documents and certificates that a tar program makes of it. */
function unpack(archive: Buffer, judge: string): Tree {
  const target = join(directory, String((runs += 1)));
  mkdirSync(target);
  writeFileSync(`${target}.tar`, archive);
  const { status, stderr } = spawnSync(judge, ['-xf', `${target}.tar`, '-C', target]);
  const found = readdirSync(target, { recursive: true, encoding: 'utf8' });
  const files = found.filter((path) => isDocumentOrCertificate.test(path) && statSync(join(target, path)).isFile());
  const tree = Object.fromEntries(files.map((path) => [path, readFileSync(join(target, path), 'utf8')]));
  if (status !== 0) tree[`${judge} ends with`] = `${String(status)}: ${stderr.toString()}`;
  rmSync(target, { recursive: true });
  return tree;
}

test('of tars with odd headers, those that are accepted are unpacked as they are read', async () => {
  let accepted = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const archive = oddTar(seed);
    const tree = await read(archive);
    if (tree === undefined) continue;
    accepted += 1;
    for (const judge of judges) expect([seed, unpack(archive, judge)]).toEqual([seed, tree]);
  }
  expect(accepted).toBeGreaterThan(0.03 * seeds);
}, 300_000);

test('an archive of ours is unpacked as it is read, odd names and all', async () => {
  const names = ['rethink/cert.pem', 'a\\b', 'old\\', 'ü', 'x'.repeat(255), `${'deep/'.repeat(60)}key`, '\n', '-rf'];
  const certificates = names.map((name) => ({ path: `ca/${name}`, body: Buffer.from(name) }));
  const archive = await makeArchive(sampleTables, { certificates });
  expect((await verifyBytes(archive)).state).toBe('whole');
  const tree = await read(archive);
  expect(tree).toMatchObject(Object.fromEntries(names.map((name) => [`${sampleRoot}/certs/ca/${name}`, name])));
  for (const judge of judges) expect(unpack(archive, judge)).toEqual(tree);
});

// Two certificates for our reader, one for a tar program: the second one's.
test.each([
  [
    'ca/cert.pem\0x',
    `${sampleRoot}/certs/ca/cert.pem\\u0000x: is the path in a PAX header, which not every tar program takes`,
  ],
  ['ca/./cert.pem', `${sampleRoot}/certs/ca/./cert.pem: has a dot for a name in its path`],
  ['ca/cert.pem', `${sampleRoot}/certs/ca/cert.pem: occurs twice`],
  ['ca/cert.pem/x', `${sampleRoot}/certs/ca/cert.pem: is a file and has others below it`],
])('an archive with ca/cert.pem and %j is refused', async (path, finding) => {
  const certificates = [{ path: 'ca/cert.pem', body: Buffer.from('good') }];
  const { entries, rest } = splitEntries(await makeArchive(sampleTables, { certificates }));
  const second = [paxHeader(['path', `${sampleRoot}/certs/${path}`]), rawEntry({ name: 'x', body: 'evil' })];
  const altered = [...entries.slice(0, -1), { name: 'x', bytes: Buffer.concat(second) }, ...entries.slice(-1)];
  const verdict = await verifyBytes(joinEntries(altered, rest));
  expect(verdict.state).toBe('invalid');
  expect(lines(verdict)).toContain(finding);
});
