import { describe, expect, test } from '@jest/globals';
import { nameOfPlace, parsePlace } from '#src/model/place.js';

describe('a place', () => {
  test.each([
    ['a.tar', { kind: 'file', path: 'a.tar' }],
    ['./s3://a', { kind: 'file', path: './s3://a' }],
    ['S3://bucket/a', { kind: 'file', path: 'S3://bucket/a' }],
    ['s3://bucket/a/b %20+é{date}.tar', { kind: 's3', bucket: 'bucket', path: 'a/b %20+é{date}.tar' }],
    ['s3://bucket/', { kind: 's3', bucket: 'bucket', path: '' }],
    ['sftp://host/srv/a.tar', { kind: 'sftp', user: undefined, host: 'host', port: 22, path: '/srv/a.tar' }],
    ['sftp://me@host:2222/~/a.tar', { kind: 'sftp', user: 'me', host: 'host', port: 2222, path: 'a.tar' }],
    ['sftp://[::1]:2222/a', { kind: 'sftp', user: undefined, host: '::1', port: 2222, path: '/a' }],
  ])('%s is read, and spelled alike', (text, place) => {
    const parsed = parsePlace(text);
    expect(parsed).toEqual({ ok: true, value: place });
    expect(parsed.ok && parsed.value.kind !== 'stdio' && nameOfPlace(parsed.value)).toBe(text);
  });

  test('may be stdin or stdout', () => {
    expect(parsePlace('-')).toEqual({ ok: true, value: { kind: 'stdio' } });
  });

  test.each([
    ['s3://', /must name a bucket/],
    ['s3:///key', /must name a bucket/],
    ['s3://UPPER/key', /must name a bucket/],
    [`s3://bucket/${'é'.repeat(513)}`, /longer than 1024 bytes/],
    ['sftp://host', /must name a host and a path/],
    ['sftp:///path', /must name a host and a path/],
    ['sftp://user:secret@host/path', /a password has no place in it/],
    ['sftp://host:0/path', /port/],
    ['sftp://host:65536/path', /port/],
    ['sftp://host:x/path', /must name a host and a path/],
  ])('%s is none', (text, reason) => {
    expect(parsePlace(text)).toEqual({ ok: false, reason: expect.stringMatching(reason) as unknown });
  });
});
