// What repositories name, compared with what is stored: what is lost is told from what garbage collection leaves behind.
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { BlobReferences } from '#src/archive/images/blob-references.js';
import { blobPath, leadsOut, linkPlace } from '#src/archive/images/image-layout.js';
import type { ManifestReferences } from '#src/archive/images/registry-manifest.js';

const startedAt = new Date(2_000_000);
const before = 1999;
const since = 2000;
const hex = (text: string): string => createHash('sha256').update(text).digest('hex');
const registry = 'docker/registry/v2';

function naming(blobs: readonly string[], manifests: readonly string[] = []): ManifestReferences {
  const digests = (names: readonly string[]): string[] => names.map((name) => `sha256:${hex(name)}`);
  return { blobs: digests(blobs), manifests: digests(manifests) };
}

function link(to: BlobReferences, below: string, content: string, seconds = before): string {
  const path = `${registry}/repositories/${below}/link`;
  const place = linkPlace(path);
  if (place === undefined) throw new Error(`${path} is no link`);
  to.addLink(path, place, { content, seconds });
  return path;
}

/** Images `org/app:1` of manifest `m`, which needs `config` and `layer`: some of it stored, in either order. */
function image(storedNames: readonly string[], { isLinkedFirst = false, seconds = before } = {}): BlobReferences {
  const references = new BlobReferences();
  const links = (): void => {
    link(references, `org/app/_manifests/tags/1/current`, `sha256:${hex('m')}`, seconds);
    link(references, `org/app/_manifests/revisions/sha256/${hex('m')}`, `sha256:${hex('m')}`, seconds);
    link(references, `org/app/_layers/sha256/${hex('layer')}`, `sha256:${hex('layer')}`, seconds);
  };
  if (isLinkedFirst) links();
  for (const name of storedNames) {
    references.addBlob(hex(name));
    if (name === 'm') references.addManifest(hex('m'), naming(['config', 'layer']));
  }
  if (!isLinkedFirst) links();
  return references;
}

const none = { missing: { count: 0, first: [] }, stale: 0, uncompared: 0 };

describe.each([true, false])('with the repositories read first: %s', (isLinkedFirst) => {
  test('a whole image misses nothing', () => {
    const summary = image(['m', 'config', 'layer'], { isLinkedFirst }).summary(startedAt);
    expect(summary).toEqual({ references: none, isNothingThere: false });
  });

  test('a manifest that is not there is missing, once, by repository and tag', () => {
    const { references } = image(['config', 'layer'], { isLinkedFirst }).summary(startedAt);
    const why = 'is missing: it is the manifest of org/app:1';
    expect(references).toEqual({ ...none, missing: { count: 1, first: [{ path: blobPath(hex('m')), why }] } });
  });

  test.each(['config', 'layer'])('so is the %s of a manifest', (name) => {
    const { references } = image(
      ['m', 'config', 'layer'].filter((one) => one !== name),
      { isLinkedFirst },
    ).summary(startedAt);
    const why = `is missing: the manifest sha256:${hex('m')} of org/app:1 needs it`;
    expect(references).toEqual({ ...none, missing: { count: 1, first: [{ path: blobPath(hex(name)), why }] } });
  });

  test('where not one of them is there, that is said', () => {
    const summary = image(['other'], { isLinkedFirst }).summary(startedAt);
    expect(summary).toMatchObject({ isNothingThere: true, references: { missing: { count: 1 } } });
  });

  test('what is named only since the reading began is not looked for', () => {
    expect(image(['m'], { isLinkedFirst, seconds: since }).summary(startedAt).references.missing.count).toBe(0);
  });
});

describe('no loss', () => {
  test('links of layers and of earlier tags whose blobs garbage collection took are counted', () => {
    const references = image(['m', 'config', 'layer']);
    link(references, `org/app/_layers/sha256/${hex('old')}`, `sha256:${hex('old')}`);
    link(references, `org/other/_layers/sha256/${hex('old')}`, `sha256:${hex('old')}`);
    link(references, `org/app/_manifests/tags/1/index/sha256/${hex('m0')}`, `sha256:${hex('m0')}`);
    expect(references.summary(startedAt).references).toEqual({ ...none, stale: 2 });
  });

  test('a manifest that nothing names needs nothing', () => {
    const references = image(['m', 'config', 'layer', 'unnamed']);
    references.addManifest(hex('unnamed'), naming(['gone']));
    expect(references.summary(startedAt).references).toEqual(none);
  });

  test.each(['config', 'layer'])('the text of a manifest or of a list, stored as a %s, needs nothing', (name) => {
    const references = image(['m', 'config', 'layer']);
    references.addManifest(hex(name), naming(['gone'], ['gone, too']));
    expect(references.summary(startedAt).references).toEqual(none);
  });

  test('blobs that an earlier archive holds are there, and its manifests are known', () => {
    const references = image(['layer']);
    references.addHeld(hex('m'));
    references.addManifest(hex('m'), naming(['config', 'layer']));
    expect(references.heldCount).toBe(1);
    expect(references.isHeld(hex('m'))).toBe(true);
    const { missing } = references.summary(startedAt).references;
    expect(missing).toMatchObject({ count: 1, first: [{ path: blobPath(hex('config')) }] });
  });

  test('where blobs are stored by id, what is not found by digest cannot be told', () => {
    const references = image([]);
    references.addBlobById();
    const summary = references.summary(startedAt);
    expect(summary).toEqual({ references: { ...none, uncompared: 1 }, isNothingThere: false });
  });

  test('a digest of another algorithm cannot be looked for', () => {
    const references = image(['m', 'config', 'layer']);
    link(references, 'org/app/_manifests/tags/2/current', `sha512:${'0'.repeat(128)}`);
    expect(references.summary(startedAt).references).toEqual({ ...none, uncompared: 1 });
  });
});

describe('a loss', () => {
  test.each([
    ['', 'is empty: it names no blob'],
    ['\0\0\0', 'holds no digest: it names no blob'],
    [`sha256:${hex('x')}`, `names another blob than its path: ${hex('x')}`],
  ])('is a link that holds %j', (content, why) => {
    const references = image(['m', 'config', 'layer']);
    const path = link(references, `org/app/_layers/sha256/${hex('layer')}`, content);
    expect(references.summary(startedAt).references.missing).toEqual({ count: 1, first: [{ path, why }] });
  });

  test('is a manifest of a list, and what that needs', () => {
    const references = image(['m', 'config', 'layer', 'list', 'child']);
    references.addManifest(hex('list'), naming([], ['child', 'lost']));
    references.addManifest(hex('child'), naming(['its layer']));
    link(references, 'org/app/_manifests/tags/all/current', `sha256:${hex('list')}`);
    const { missing } = references.summary(startedAt).references;
    expect(missing.first.map(({ path }) => path).sort()).toEqual(
      [blobPath(hex('lost')), blobPath(hex('its layer'))].sort(),
    );
    expect(missing.first.map(({ why }) => why).join()).toContain('of org/app:all needs it');
  });

  test.each([
    ['tag', 'org/app/_manifests/tags/all/current'],
    ['revision', `org/app/_manifests/revisions/sha256/${hex('layer')}`],
  ])('is what a layer needs that a %s names as a manifest as well', (_what, below) => {
    const references = image(['m', 'config', 'layer']);
    references.addManifest(hex('layer'), naming(['lost']));
    link(references, below, `sha256:${hex('layer')}`);
    const { missing } = references.summary(startedAt).references;
    expect(missing).toMatchObject({ count: 1, first: [{ path: blobPath(hex('lost')) }] });
  });

  test('is what a manifest of a list needs that is a layer elsewhere, whichever is met first', () => {
    for (const tags of [
      ['m', 'list'],
      ['list', 'm'],
    ]) {
      const references = new BlobReferences();
      for (const name of ['m', 'list', 'child']) references.addBlob(hex(name));
      references.addManifest(hex('m'), naming(['child']));
      references.addManifest(hex('list'), naming([], ['child', 'list']));
      references.addManifest(hex('child'), naming(['lost']));
      for (const tag of tags) link(references, `org/app/_manifests/tags/${tag}/current`, `sha256:${hex(tag)}`);
      const { missing } = references.summary(startedAt).references;
      expect(missing).toMatchObject({ count: 1, first: [{ path: blobPath(hex('lost')) }] });
    }
  });

  test('is every repository, where blobs are stored and no link is', () => {
    const references = new BlobReferences();
    references.addBlob(hex('layer'));
    const why = 'names none of the blobs: is it mounted?';
    const { missing } = references.summary(startedAt).references;
    expect(missing).toEqual({ count: 1, first: [{ path: `${registry}/repositories`, why }] });
  });
});

test('a thousand that are missing are counted, and a hundred named', () => {
  const references = new BlobReferences();
  const layers = Array.from({ length: 1000 }, (_, index) => `layer ${index}`);
  references.addBlob(hex('m'));
  references.addManifest(hex('m'), naming(layers));
  link(references, 'org/app/_manifests/tags/1/current', `sha256:${hex('m')}`);
  const { missing } = references.summary(startedAt).references;
  expect([missing.count, missing.first.length]).toEqual([1000, 100]);
});

test.each([
  ['org/app/_manifests/tags/1/current/link', { repository: 'org/app', tag: '1', isManifest: true }],
  [`a/_manifests/revisions/sha256/${hex('a')}/link`, { repository: 'a', digest: hex('a'), isManifest: true }],
  [`a/_layers/sha256/${hex('a')}/link`, { repository: 'a', digest: hex('a'), isManifest: false }],
  [`a/_manifests/tags/1/index/sha256/${hex('a')}/link`, { repository: 'a', digest: hex('a'), isManifest: false }],
  ['a/_uploads/1/link', undefined],
  ['a/_manifests/tags/1/current/other', undefined],
])('%s is the link %j', (below, place) => {
  expect(linkPlace(`${registry}/repositories/${below}`)).toEqual(place);
  expect(linkPlace(`copy/${registry}/repositories/${below}`)).toBeUndefined();
});

test.each([
  [`${registry}/repositories/org`, '/mnt/large/org', true],
  [`${registry}/repositories/org`, '../../../../../org', true],
  [`${registry}/repositories/org`, '../../../../org', false],
  [`${registry}/repositories/org`, '../elsewhere', false],
  ['lost', '/mnt/large', false],
])('%s -> %s leads out of the storage: %s', (path, target, expected) => {
  expect(leadsOut(path, target)).toBe(expected);
});

test('what is said twice counts once: a blob held, a manifest', () => {
  const references = image(['layer']);
  for (let times = 0; times < 2; times += 1) {
    references.addHeld(hex('m'));
    references.addManifest(hex('m'), naming(['lost']));
  }
  references.addManifest('no digest', naming(['lost, too']));
  expect(references.heldCount).toBe(1);
  const { missing } = references.summary(startedAt).references;
  expect(missing.first.map(({ path }) => path)).toEqual([blobPath(hex('lost'))]);
});

test('a manifest that no tag names is missing by its repository; a tag that comes later says more', () => {
  const missingBy = (...below: readonly string[]): string | undefined => {
    const references = image(['m', 'config', 'layer']);
    for (const one of below) link(references, one, `sha256:${hex('x')}`);
    return references.summary(startedAt).references.missing.first[0]?.why;
  };
  const revision = `org/app/_manifests/revisions/sha256/${hex('x')}`;
  const tag = 'org/app/_manifests/tags/2/current';
  expect(missingBy(revision)).toBe('is missing: it is the manifest of org/app');
  expect(missingBy(revision, tag)).toBe('is missing: it is the manifest of org/app:2');
  expect(missingBy(tag, revision)).toBe('is missing: it is the manifest of org/app:2');
});
