// What `list` finds in a directory: archives of ours by their summaries, and files that are not.
import { describe, expect, test } from '@jest/globals';
import { mkdirSync, symlinkSync, truncateSync } from 'node:fs';
import { listArchives, type ArchiveList } from '#src/jobs/places/archive-list.js';
import { maxTextBytes } from '#src/store/store.js';
import { JobError } from '#src/base/errors.js';
import { runProgram } from '../../support/program.js';
import { SamplePlace, imageSummary, metadataSummary } from '../../support/store/archive-place.js';
import { directoryStore, type DirectoryStoreOptions } from '../../support/store/directory-store.js';

const { signal } = new AbortController();

function list({ directory }: SamplePlace, options: DirectoryStoreOptions = {}): Promise<ArchiveList> {
  return listArchives({ store: directoryStore(options), directory }, signal);
}

function reasons({ others }: ArchiveList, { directory }: SamplePlace): Record<string, string> {
  return Object.fromEntries(others.map(({ path, reason }) => [path.slice(directory.length), reason]));
}

function states({ archives }: ArchiveList): [string, string][] {
  return archives.map(({ path, state }) => {
    return [path.replace(/.*\//, ''), state.kind === 'damaged' ? state.fault : state.kind];
  });
}

describe('archives', () => {
  test('are those with a summary, the newest first', async () => {
    using place = new SamplePlace();
    await place.addMetadata('b.tar', { startedAt: '2026-11-24T10:00:00.000Z' });
    await place.addMetadata('c.tar', { startedAt: '2026-11-23T10:00:00.000Z' });
    await place.addMetadata('a.tar', { startedAt: '2026-11-22T10:00:00.000Z' });
    const found = await list(place);
    expect(states(found)).toEqual([
      ['b.tar', 'complete'],
      ['c.tar', 'complete'],
      ['a.tar', 'complete'],
    ]);
    expect(found.others).toEqual([]);
  });

  test('are damaged where the archive is missing, has another size, or the summary names another', async () => {
    using place = new SamplePlace();
    await place.addMetadata('short.tar');
    truncateSync(place.path('short.tar'), 512);
    place.write('missing.tar.json', JSON.stringify(metadataSummary({ name: 'missing.tar' })));
    await place.addMetadata('other.tar', { alter: (summary) => ({ ...summary, name: 'another.tar' }) });
    await place.addMetadata('trick.tar', { alter: (summary) => ({ ...summary, name: '../trick.tar' }) });
    expect(states(await list(place))).toEqual([
      ['missing.tar', 'it is missing'],
      ['other.tar', 'its summary is that of another.tar'],
      ['short.tar', expect.stringMatching(/^it has 512 bytes, and its summary says \d+$/)],
      ['trick.tar', 'its summary is that of ../trick.tar'],
    ]);
  });

  test('that a prune removed and whose summary it left are shown as such', async () => {
    using place = new SamplePlace();
    const removalBegunAt = '2026-11-25T00:00:00.000Z';
    place.write('gone.tar.json', JSON.stringify(metadataSummary({ name: 'gone.tar', removalBegunAt })));
    await place.addMetadata('whole.tar', { alter: (summary) => ({ ...summary, removalBegunAt }) });
    expect(states(await list(place))).toEqual([
      ['gone.tar', 'leftover'],
      ['whole.tar', 'complete'],
    ]);
  });
});

test('files without a sound summary are not ours, and each has its reason', async () => {
  using place = new SamplePlace();
  place.write('alone.tar', 'x');
  place.write('odd.tar', 'x');
  place.write('odd.tar.json', '{');
  place.write('foreign.json', '{"name":"package"}');
  place.write('huge.json', '');
  truncateSync(place.path('huge.json'), maxTextBytes + 1);
  place.write('deep.json', '['.repeat(100_000));
  place.write('later.json', JSON.stringify({ ...metadataSummary(), summaryVersion: 2 }));
  place.write('list.json', '[]');
  place.write('.json', JSON.stringify(metadataSummary()));
  place.write('dtr-backup-prune.lock', '{}');
  mkdirSync(place.path('directory.tar'));
  place.write('directory.tar.json', JSON.stringify(metadataSummary({ name: 'directory.tar' })));
  symlinkSync('alone.tar', place.path('link.tar'));
  place.write('link.tar.json', JSON.stringify(metadataSummary({ name: 'link.tar' })));
  const found = await list(place);
  expect(states(found)).toEqual([
    ['directory.tar', 'it is missing'],
    ['link.tar', 'it is missing'],
  ]);
  expect(reasons(found, place)).toEqual({
    '.json': 'has no summary',
    'alone.tar': 'has no summary',
    'deep.json': 'is nested deeper than 32',
    'dtr-backup-prune.lock': 'the lock of a prune',
    'foreign.json': expect.stringContaining('is not of the known shape: kind'),
    'huge.json': `has ${maxTextBytes + 1} bytes, too many for a summary`,
    'later.json': expect.stringContaining('is not of the known shape: summaryVersion'),
    'list.json': expect.stringContaining('is not of the known shape'),
    'odd.tar': 'its summary is not JSON',
    'odd.tar.json': 'is not JSON',
  });
});

test('a summary that cannot be read hides no other, and is an error', async () => {
  using place = new SamplePlace();
  await place.addMetadata('a.tar');
  await place.addMetadata('b.tar');
  const error = new JobError(2, 'cannot read b.tar.json');
  const found = await list(place, {
    before: ({ method, path }) => {
      if (method === 'readText' && path.endsWith('b.tar.json')) throw error;
    },
  });
  expect(states(found)).toEqual([['a.tar', 'complete']]);
  expect(found.errors).toEqual([error]);
});

describe('the command', () => {
  test('prints a table, and with --all the other files', async () => {
    using place = new SamplePlace();
    const verifiedAt = '2026-11-24T10:05:00.000Z';
    await place.addMetadata('new.tar', {
      startedAt: '2026-11-24T10:00:00.000Z',
      alter: (summary) => ({ ...summary, verifiedAt }),
    });
    place.add(imageSummary({ name: 'images.tar', isShort: true, isEncrypted: true }), Buffer.from('x'));
    place.write('notes.txt', 'x');
    const { exitCode, stdout } = await runProgram(['list', place.directory]);
    expect(exitCode).toBe(0);
    const [head, first, second, ...rest] = stdout.toString().trimEnd().split('\n');
    expect(head).toMatch(/^date +replica +version +kind +size +holds +verified +name$/);
    expect(first).toMatch(
      /^2026-11-24T10:00:00Z +0a1b2c3d4e5f +2\.9\.4 +metadata +\d+\.\d kB +5 documents +2026-11-24T10:05:00Z +new\.tar$/,
    );
    expect(second).toMatch(/images +1 B +3 files +no +images\.tar +short, encrypted$/);
    expect(rest).toEqual(['', '1 other file: --all shows them']);
    const all = await runProgram(['list', place.directory.slice(0, -1), '--all']);
    expect(all.stdout.toString()).toMatch(/notes\.txt +1 B +\S+ +has no summary\n/);
  });

  test('prints JSON', async () => {
    using place = new SamplePlace();
    const summary = await place.addMetadata('a.tar');
    place.write('notes.txt', 'x');
    const { stdout } = await runProgram(['list', place.directory, '--json', '--all']);
    expect(JSON.parse(stdout.toString())).toEqual({
      place: place.directory,
      archives: [{ path: place.path('a.tar'), state: 'complete', summary }],
      others: [
        { path: place.path('notes.txt'), sizeBytes: 1, modifiedAt: expect.any(String), reason: 'has no summary' },
      ],
    });
  });

  test('says that there is none', async () => {
    using place = new SamplePlace();
    const { exitCode, stdout } = await runProgram(['list', place.directory]);
    expect([exitCode, stdout.toString()]).toEqual([0, `no archives of dtr-backup in ${place.directory}\n`]);
  });

  test.each([
    [['list'], 'PLACE is missing'],
    [['list', '-'], 'PLACE cannot be -'],
    [['prune', '-', '--keep-last', '1'], 'PLACE cannot be -'],
    [['prune', '--keep-last', '1'], 'PLACE is missing'],
    [['prune', '/tmp'], 'nothing says what to keep'],
    [['prune', '/tmp', '--keep-last', '0'], '--keep-last must be a whole number'],
    [['list', 's3://'], 'PLACE: it must name a bucket'],
    [['list', '/no/such/directory'], '/no/such/directory'],
  ])('%j is a usage error', async (args, fault) => {
    const { exitCode, stderr, stdout } = await runProgram(args);
    expect({ exitCode, stdout: stdout.toString() }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(fault);
  });
});
