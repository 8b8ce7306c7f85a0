import { describe, expect, test } from '@jest/globals';
import { encodeDocument, rfc3339 } from '#src/archive/entries/document-encoding.js';

describe('encoding reql', () => {
  test('touches nothing', () => {
    const text = '{ "b":1.0,"a":{"$reql_type$":"TIME","epoch_time":1,"timezone":"+00:00"}, "__proto__":1e400}';
    expect(encodeDocument(text, 'reql')).toBe(text);
  });
});

describe('encoding dtr', () => {
  test('makes TIME RFC 3339 text and BINARY base64 text, at any depth', () => {
    const time = { $reql_type$: 'TIME', epoch_time: 1500000000.25, timezone: '-07:30' };
    const binary = { $reql_type$: 'BINARY', data: 'AAAA\r\nBBBB' };
    const document = { id: 1, list: [time, { binary }], point: { $reql_type$: 'GEOMETRY', type: 'Point' } };
    expect(encodeDocument(JSON.stringify(document), 'dtr')).toBe(
      '{"id":1,"list":["2017-07-13T19:10:00.25-07:30",{"binary":"AAAABBBB"}],' +
        '"point":{"$reql_type$":"GEOMETRY","type":"Point"}}',
    );
  });

  test('keeps a member named __proto__', () => {
    expect(encodeDocument('{"__proto__": {"a": 1}, "id": 2}', 'dtr')).toBe('{"__proto__":{"a":1},"id":2}');
  });
});

describe('RFC 3339 text', () => {
  test.each([
    [0, '+00:00', '1970-01-01T00:00:00Z'],
    [0, '+05:30', '1970-01-01T05:30:00+05:30'],
    [-0.5, '+00:00', '1969-12-31T23:59:59.5Z'],
    [1375147296.681, '-07:00', '2013-07-29T18:21:36.681-07:00'],
    [1.9999999, '+00:00', '1970-01-01T00:00:02Z'],
    [253402300799, '+00:00', '9999-12-31T23:59:59Z'],
  ])('of %p in %s is %s', (seconds, timezone, expected) => {
    expect(rfc3339(seconds, timezone)).toBe(expected);
  });
});
