// What `prune` removes from a directory, and what it never touches.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { isAvailable } from '#src/archive/envelope/compression.js';
import { JobError } from '#src/base/errors.js';
import type { Summary } from '#src/model/summary.js';
import { archiveDirectory } from '../../support/image-archive.js';
import { sampleRoot } from '../../support/archive/sample.js';
import { passphrase, wrapBytes } from '../../support/archive/wrapped.js';
import { SamplePlace, imageSummary, metadataSummary, replicaB } from '../../support/store/archive-place.js';
import { pruneSample } from '../../support/store/pruned-place.js';

let place: SamplePlace;
beforeEach(() => void (place = new SamplePlace()));
afterEach(() => place[Symbol.dispose]());

/** `day20.tar`, of the 20th. */
async function addDay(day: number, options: Parameters<SamplePlace['addMetadata']>[1] = {}): Promise<void> {
  await place.addMetadata(`day${day}.tar`, { startedAt: `2026-11-${day}T10:00:00.000Z`, ...options });
}

const pairs = (...names: string[]): string[] => names.flatMap((name) => [name, `${name}.json`]);

describe('removes', () => {
  test('what no keep names, each archive before its summary, and leaves no lock', async () => {
    for (const day of [20, 21, 22, 23]) await addDay(day);
    place.write('notes.txt', 'x');
    const { removed, log, outcome } = await pruneSample(place, { keeps: { last: 2 } });
    expect(removed).toEqual(pairs('day21.tar', 'day20.tar'));
    expect(place.names()).toEqual([...pairs('day22.tar', 'day23.tar'), 'notes.txt']);
    expect(log).toEqual(['INFO Removed ' + place.path('day21.tar'), 'INFO Removed ' + place.path('day20.tar')]);
    expect(outcome.failure).toBeUndefined();
  });

  test('nothing before the plan is shown, nor where it cannot be shown', async () => {
    for (const day of [20, 21]) await addDay(day);
    const show = async (): Promise<void> => {
      expect(place.names()).toEqual([...pairs('day20.tar', 'day21.tar'), 'dtr-backup-prune.lock']);
      await Promise.reject(new JobError(8, 'stdout is closed'));
    };
    await expect(pruneSample(place, { show })).rejects.toThrow('stdout is closed');
    expect(place.names()).toEqual(pairs('day20.tar', 'day21.tar'));
  });

  test('nothing in a dry run, which writes nothing and takes no lock', async () => {
    for (const day of [20, 21]) await addDay(day);
    place.write('dtr-backup-prune.lock', 'held by another');
    const { removed, store, outcome } = await pruneSample(place, { dryRun: true });
    expect(removed).toEqual([]);
    expect(outcome.decisions.map(({ goes }) => goes)).toEqual([false, true]);
    expect(store.calls.filter(({ method }) => method === 'remove' || method === 'writeText')).toEqual([]);
  });

  test('metadata and images of each replica apart', async () => {
    for (const day of [20, 21]) await addDay(day);
    await place.addMetadata('b20.tar', { startedAt: '2026-11-20T10:00:00.000Z', replicaId: replicaB });
    const empty = new SamplePlace();
    const images = await archiveDirectory(empty.directory);
    empty[Symbol.dispose]();
    for (const day of [18, 19]) {
      place.add(imageSummary({ name: `images${day}.tar`, startedAt: `2026-11-${day}T10:00:00.000Z` }), images);
    }
    expect((await pruneSample(place)).removed).toEqual(pairs('day20.tar', 'images18.tar'));
  });

  test('encrypted and compressed ones', async () => {
    const encrypt = (bytes: Buffer): Promise<Buffer> => wrapBytes(bytes, { encryption: { passphrase } });
    const isEncrypted = (summary: Summary): Summary => ({ ...summary, isEncrypted: true });
    await addDay(20, { wrap: encrypt, alter: isEncrypted });
    await addDay(21, { wrap: gzipSync });
    const compression = isAvailable('zstd') ? 'zstd' : 'gzip';
    await addDay(22, { wrap: (bytes) => wrapBytes(bytes, { compression }) });
    await addDay(23);
    expect((await pruneSample(place)).removed).toEqual(pairs('day22.tar', 'day21.tar', 'day20.tar'));
  });
});

describe('never removes, nor counts, an archive', () => {
  test('of images of another replica than its root says', async () => {
    const empty = new SamplePlace();
    const images = await archiveDirectory(empty.directory);
    empty[Symbol.dispose]();
    const { root } = imageSummary();
    for (const day of [18, 19]) {
      const startedAt = `2026-11-${day}T10:00:00.000Z`;
      place.add(imageSummary({ name: `images${day}.tar`, startedAt, replicaId: replicaB, root }), images);
    }
    const { removed, outcome } = await pruneSample(place);
    expect(removed).toEqual([]);
    expect(outcome.decisions[0]?.reasons.join()).toMatch(/of another replica than b0b0/);
  });

  const dates = { startedAt: '2026-11-24T10:00:00.000Z' };
  const summaryOf = (altered: Partial<Summary>) => (summary: Summary) => ({ ...summary, ...altered });
  const garbage = Buffer.alloc(4096, 'x');

  test.each<[string, Parameters<SamplePlace['addMetadata']>[1], RegExp]>([
    ['of another replica', { alter: summaryOf({ replicaId: replicaB }) }, /of another replica than b0b0/],
    ['of another start', { alter: summaryOf({ startedAt: '2026-11-25T10:00:00.000Z' }) }, /was started at 2026-11-24T/],
    [
      'of another root',
      { alter: summaryOf({ root: 'dtr-backup-v2.9.3-online' }) },
      /root is dtr-backup-v2\.9\.4-online/,
    ],
    ['that is encrypted', { wrap: (bytes) => wrapBytes(bytes, { encryption: { passphrase } }) }, /is encrypted, and/],
    ['that is not encrypted', { alter: summaryOf({ isEncrypted: true }) }, /is not encrypted, and/],
    ['that is no tar', { wrap: () => garbage }, /is not a tar/],
    ['that is empty', { wrap: () => Buffer.alloc(0) }, /too short for a tar/],
    ['cut in its plan', { wrap: (bytes) => bytes.subarray(0, 1100) }, /cut short|ends in its plan/],
    [
      'with an altered plan',
      { wrap: (bytes) => Buffer.from(bytes.toString('latin1').replace('2.4.4', '2.4.5'), 'latin1') },
      /does not match its own checksum/,
    ],
    [
      'that is damaged gzip',
      { wrap: () => Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), garbage]) },
      /damaged gzip data/,
    ],
    [
      'of another kind',
      { alter: ({ stored }) => imageSummary({ name: 'odd.tar', ...dates, stored, root: sampleRoot }) },
      /it holds metadata, and its summary says images/,
    ],
    [
      'of another size',
      { alter: summaryOf({ stored: { bytes: 7, sha256: '0'.repeat(64) } }) },
      /bytes, and its summary says 7/,
    ],
    [
      'with a name that leads elsewhere',
      { alter: summaryOf({ name: '../victim.tar' }) },
      /summary is that of \.\.\/victim\.tar/,
    ],
  ])('%s', async (_what, options, reason) => {
    for (const day of [20, 21]) await addDay(day);
    // As the newest, it would take the place of the others; as the oldest, it would go.
    await place.addMetadata('odd.tar', { ...dates, ...options });
    await place.addMetadata('new.tar', { startedAt: '2026-11-25T20:00:00.000Z' });
    const first = await pruneSample(place, { keeps: { last: 2 } });
    expect(first.removed).toEqual(pairs('day20.tar'));
    const why = first.outcome.decisions.find(({ archive }) => archive.path.endsWith('odd.tar'));
    expect(why?.reasons.join()).toMatch(reason);
    expect(place.names()).toEqual(pairs('day21.tar', 'new.tar', 'odd.tar'));
  });

  test('that names no replica', async () => {
    for (const day of [20, 21]) {
      await addDay(day, {
        alter: (summary) => {
          const { replicaId: _, ...unnamed } = summary;
          return unnamed;
        },
      });
    }
    expect((await pruneSample(place)).removed).toEqual([]);
  });

  test('without a summary, or with a foreign one', async () => {
    for (const day of [20, 21]) await addDay(day);
    for (const name of ['day18.tar', 'day19.tar']) place.write(name, readFileSync(place.path('day20.tar')));
    place.write('day19.tar.json', '{"any":"thing"}');
    place.write('plan.json', '{}');
    expect((await pruneSample(place)).removed).toEqual(pairs('day20.tar'));
  });

  test('that another place holds', async () => {
    for (const day of [20, 21]) await addDay(day);
    using outside = new SamplePlace();
    await outside.addMetadata('victim.tar');
    const name = `../${outside.directory.split('/').at(-2) ?? ''}/victim.tar`;
    place.write('trick.json', JSON.stringify(metadataSummary({ name })));
    await pruneSample(place);
    expect(outside.names()).toEqual(pairs('victim.tar'));
  });
});
