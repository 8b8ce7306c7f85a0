// The first bytes of encrypted OpenPGP messages (RFC 9580, 4.2) are recognised, and no others.
import { expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { encryptionOf, messageHeadBytes } from '#src/archive/envelope/packets.js';

const formOf = (...bytes: number[]): string | undefined => encryptionOf(Buffer.from(bytes));

test.each<[string, number[]]>([
  ['one octet', [0x04]],
  ['one octet, the largest', [0xbf]],
  ['two octets', [0xc0, 0x00]],
  ['two octets, the largest', [0xdf, 0xff]],
  ['part of it, the smallest', [0xe0]],
  ['part of it, the largest', [0xfe]],
  ['five octets', [0xff, 0x00, 0x01, 0x00, 0x00]],
])('a new packet whose length takes %s has its version behind it', (_what, length) => {
  for (const [tag, versions] of [
    [1, [3, 6]],
    [3, [4, 5, 6]],
    [18, [1, 2]],
  ] as const) {
    for (const version of versions) expect(formOf(0xc0 | tag, ...length, version)).toBe('binary');
    for (const version of [0, 7, 0xff]) expect(formOf(0xc0 | tag, ...length, version)).toBeUndefined();
    expect(formOf(0xc0 | tag, ...length)).toBeUndefined();
  }
});

test.each<[string, number, number[]]>([
  ['one octet', 0, [0xff]],
  ['two octets', 1, [0x01, 0x0c]],
  ['four octets', 2, [0x00, 0x00, 0x01, 0x0c]],
])('an old packet whose length takes %s has its version behind it', (_what, lengthType, length) => {
  expect(formOf(0x80 | (1 << 2) | lengthType, ...length, 3)).toBe('binary');
  expect(formOf(0x80 | (3 << 2) | lengthType, ...length, 4)).toBe('binary');
  expect(formOf(0x80 | (1 << 2) | lengthType, ...length, 4)).toBeUndefined();
  expect(formOf(0x80 | (3 << 2) | lengthType, ...length)).toBeUndefined();
});

test('packets that begin no encrypted message are none: a key, a signature, literal or compressed data', () => {
  for (const tag of [2, 5, 6, 8, 11]) {
    expect(formOf(0xc0 | tag, 0x04, 4)).toBeUndefined();
    expect(formOf(0x80 | (tag << 2), 0x04, 4)).toBeUndefined();
  }
});

test('armour is known by its first line, which is all that is asked for', () => {
  const armoured = Buffer.from('-----BEGIN PGP MESSAGE-----\n\nwy4ECQMI');
  expect(encryptionOf(armoured.subarray(0, messageHeadBytes))).toBe('armoured');
  expect(encryptionOf(armoured.subarray(0, messageHeadBytes - 1))).toBeUndefined();
  expect(encryptionOf(Buffer.from(`\n${armoured.toString()}`))).toBeUndefined();
  expect(encryptionOf(Buffer.from('-----BEGIN PGP PUBLIC KEY BLOCK-----'))).toBeUndefined();
});

test('nothing, a name and what is compressed are not encrypted', () => {
  for (const other of [Buffer.alloc(0), Buffer.from('dtr-backup-v2.9.4-online/'), gzipSync('x')])
    expect(encryptionOf(other)).toBeUndefined();
});
