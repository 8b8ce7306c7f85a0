import { describe, expect, test } from '@jest/globals';
import { encodeDocuments, EncodingError, rfc3339 } from '#src/archive/entries/document-encoding.js';
import { byteTextOf, bytesOfText, encodeText } from '#src/model/byte-text.js';
import { linesOf } from '../../../support/archive/lines.js';

const encode = (...texts: string[]): string => encodeDocuments(linesOf(texts), 'dtr').toString();
const time = (seconds: string, timezone = '+00:00'): string =>
  `{"$reql_type$":"TIME","epoch_time":${seconds},"timezone":"${timezone}"}`;

function failureOf(...texts: string[]): unknown {
  try {
    encode(...texts);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('encoding reql', () => {
  test('touches nothing', () => {
    const lines = linesOf([
      '{ "b":1.0,"a":{"$reql_type$":"TIME","epoch_time":1e99,"timezone":"x"}, "__proto__":1e400}',
    ]);
    expect(encodeDocuments(lines, 'reql')).toBe(lines);
  });
});

describe('encoding dtr', () => {
  test('makes TIME RFC 3339 text and BINARY base64 text, at any depth', () => {
    const text =
      `{"id":1,"list":[${time('1500000000.25', '-07:30')},{"binary":{"$reql_type$":"BINARY","data":"AAAA\\r\\nBBB="}}],` +
      '"point":{"$reql_type$":"GEOMETRY","coordinates":[1,2],"type":"Point"}}';
    expect(encode(text)).toBe(
      '{"id":1,"list":["2017-07-13T19:10:00.25-07:30",{"binary":"AAAABBB="}],' +
        '"point":{"$reql_type$":"GEOMETRY","coordinates":[1,2],"type":"Point"}}\n',
    );
  });

  test('keeps every other byte: names, digits, surrogates, what looks like a pseudo-type within a text', () => {
    const quoted = JSON.stringify(`{"a":${time('1')},"$reql_type$":"TIME"}`);
    const kept = `"__proto__":{"a":-0.0},"b":4611686018427388000.0,"c":${quoted}`;
    expect(encode(`{${kept},"t":${time('0')}}`)).toBe(`{${kept},"t":"1970-01-01T00:00:00Z"}\n`);
    const odd = encodeText('{"\ud83d":"\ude00","t":');
    const lines = Buffer.concat([bytesOfText(odd), Buffer.from(`${time('0')}}\n`)]);
    expect(byteTextOf(encodeDocuments(lines, 'dtr'))).toBe(`${odd}"1970-01-01T00:00:00Z"}\n`);
    expect(encode('{"id":1}')).toBe('{"id":1}\n');
  });

  test('takes any depth', () => {
    const deep = (inner: string): string => `${'{"a":['.repeat(200_000)}${inner}${']}'.repeat(200_000)}`;
    expect(encode(deep(time('0')))).toBe(`${deep('"1970-01-01T00:00:00Z"')}\n`);
  });

  test('takes large binaries', () => {
    const data = 'AAAA'.repeat(5_000_000);
    expect(encode(`{"id":1,"data":{"$reql_type$":"BINARY","data":"${data}"}}`)).toBe(`{"id":1,"data":"${data}"}\n`);
  });

  test.each([
    ['a TIME', time('253402300800')],
    ['a TIME', time('-62167219201')],
    ['a TIME', time('1e300')],
    ['a TIME', time('-1e300')],
    ['a TIME', time('253402300799', '+00:01')],
    ['a TIME', time('1', '+24:00')],
    ['BINARY', '{"$reql_type$":"BINARY","data":"AAA"}'],
    ['BINARY', '{"$reql_type$":"BINARY","data":"A=AA"}'],
    ['a pseudo-type', '{"$reql_type$":"TIME"}'],
    ['a pseudo-type', time('1', 'Z')],
    ['a pseudo-type', time('"1"')],
    ['a pseudo-type', '{"$reql_type$":"BINARY","data":"!!!!"}'],
    ['a pseudo-type', '{"$reql_type$":"OTHER"}'],
    ['a pseudo-type', '{"a":1,"$reql_type$" : "TIME"}'],
  ])('has no form for %s like %s, and says in which document', (what, value) => {
    const failure = failureOf('{"id":1}', `{"id":2,"t":${time('1')}}`, `{"id":3,"v":${value}}`, '{"id":4}');
    expect(failure).toBeInstanceOf(EncodingError);
    expect(failure).toMatchObject({ index: 2, message: `has ${what} that encoding dtr has no form for` });
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
    [253402300799.999, '+00:00', '9999-12-31T23:59:59.999Z'],
    [253402300800, '-23:59', '9999-12-31T00:01:00-23:59'],
    [-62167219200, '+00:00', '0000-01-01T00:00:00Z'],
    [-62167219200, '-00:30', undefined],
    [253402300799.9996, '+00:00', undefined],
    [Number.NaN, '+00:00', undefined],
    [Infinity, '+00:00', undefined],
    [0, '+24:00', undefined],
    [0, '+05:60', undefined],
    [0, '', undefined],
  ])('of %p in %s is %s', (seconds, timezone, expected) => {
    expect(rfc3339(seconds, timezone)).toBe(expected);
  });
});
