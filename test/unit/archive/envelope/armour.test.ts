// ASCII armour taken off as it streams by, in chunks of any size, and what is none.
import { describe, expect, test } from '@jest/globals';
import { dearmour } from '#src/archive/envelope/armour.js';
import { chunksOf } from '../../../support/archive/sample.js';
import { noise } from '../../../support/archive/wrapped.js';

const begin = '-----BEGIN PGP MESSAGE-----';
const end = '-----END PGP MESSAGE-----';

async function read(text: string, chunkBytes = 100): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const chunks = ReadableStream.from(chunksOf(Buffer.from(text, 'latin1'), chunkBytes));
  for await (const piece of dearmour(chunks)) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('a message in armour', () => {
  // Of each length of the padding.
  test.each([0, 1, 2, 3, 1000])('of %d bytes comes out as it was', async (bytes) => {
    const message = noise(bytes);
    const base64 = message.toString('base64').replaceAll(/.{64}/g, '$&\n');
    for (const text of [
      [begin, '', base64, end, ''].join('\n'),
      [begin, 'Version: 1', 'Comment: none', '', base64, '=AAAA', end, '', ' ', ''].join('\r\n'),
      [begin, '', base64, end].join('\n'),
    ]) {
      for (const chunkBytes of [1, 7, 64, 5000]) expect((await read(text, chunkBytes)).equals(message)).toBe(true);
    }
  });

  test('may have lines of any length, that end anywhere in it', async () => {
    const message = noise(300);
    for (const length of [1, 3, 75, 400]) {
      const base64 = message.toString('base64').replaceAll(new RegExp(`.{${length}}`, 'g'), '$&\n');
      expect((await read([begin, '', base64, end, ''].join('\n'))).equals(message)).toBe(true);
    }
  });
});

const isDamaged = 'is damaged OpenPGP armour: it';
const isCut = 'is cut short: it is encrypted, and the end of its armour is missing';

test.each([
  ['without its end', ['AAAA'], isCut],
  ['of its headers alone', [], isCut],
  ['with a line after its checksum', ['AAAA', '=AAAA', 'AAAA', end], `${isDamaged} has a line after its checksum`],
  ['with a line of something else', ['AAAA', 'AA*A', end], `${isDamaged} has a line that is not base64`],
  ['with padding within', ['AA==', 'AAAA', end], `${isDamaged} has a line that is not base64`],
  ['with half of its last four', ['AAAA', 'AA', end], `${isDamaged} has a truncated line`],
  ['with the same before its checksum', ['AAAA', 'AA', '=AAAA', end], `${isDamaged} has a truncated line`],
  ['with a line that has no end', ['A'.repeat(10_000), end], `${isDamaged} has a line of more than 4096 bytes`],
  ['that is not the last', ['AAAA', end, 'x'], 'has trailing bytes after its OpenPGP armour'],
])('armour %s is refused', async (_what, lines, message) => {
  await expect(read([begin, '', ...lines, ''].join('\n'))).rejects.toMatchObject({
    name: 'DamagedInputError',
    message,
  });
});
