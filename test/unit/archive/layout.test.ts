import { describe, expect, test } from '@jest/globals';
import { dtrVersionOfRoot, placeOf } from '#src/archive/layout.js';

describe('the place of a path', () => {
  test.each([
    ['', { kind: 'root' }],
    ['rethink', { kind: 'rethink' }],
    ['changes', { kind: 'changes' }],
    ['rethink/tags', { kind: 'table', directory: 'tags' }],
    ['changes/tags', { kind: 'tableChanges', directory: 'tags' }],
    ['certs', { kind: 'certificates' }],
    ['certs/ca', { kind: 'certificateVolume', volume: 'ca' }],
    ['plan.json', undefined],
    ['manifest.json', undefined],
    ['rethink/tags/0', undefined],
    ['certs/other', undefined],
    ['certs/ca/rethink', undefined],
  ])('of a directory %p is %p', (path, place) => {
    expect(placeOf(path, true)).toEqual(place);
  });

  test.each([
    ['plan.json', { kind: 'plan' }],
    ['manifest.json', { kind: 'manifest' }],
    ['rethink/tags/10', { kind: 'document', directory: 'tags', number: 10 }],
    ['rethink/other.tags/1', { kind: 'document', directory: 'other.tags', number: 1 }],
    ['changes/tags/0', { kind: 'change', directory: 'tags', number: 0 }],
    ['certs/notary/a/b.pem', { kind: 'certificate', path: 'notary/a/b.pem' }],
    ['', undefined],
    ['rethink', undefined],
    ['rethink/tags', undefined],
    ['rethink/tags/x', undefined],
    ['rethink/a b/0', undefined],
    ['rethink/a..b/0', undefined],
    ['rethink/a.b.c/0', undefined],
    ['rethink/tags/0/1', undefined],
    ['certs', undefined],
    ['certs/ca', undefined],
    ['elsewhere', undefined],
  ])('of a file %p is %p', (path, place) => {
    expect(placeOf(path, false)).toEqual(place);
  });
});

test('a root that is no backup of DTR names no version', () => {
  expect(dtrVersionOfRoot('dtr-backup-v2.9.4-online')).toBe('2.9.4');
  expect(dtrVersionOfRoot('dtr-backup-v2.5.3')).toBe('2.5.3');
  expect(dtrVersionOfRoot('something-else')).toBeUndefined();
});
