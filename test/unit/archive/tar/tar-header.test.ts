// Which blocks are taken for headers, and what their fields say: every byte has to make sense.
import { describe, expect, test } from '@jest/globals';
import { parseTarHeader } from '#src/archive/tar/tar-header.js';
import { directoryHeader, maxBodyBytes, NumberedFileHeaders } from '#src/archive/tar/ustar.js';
import { alterHeader } from '../../../support/archive/tar-blocks.js';

const field = {
  name: 0,
  mode: 100,
  uid: 108,
  gid: 116,
  size: 124,
  mtime: 136,
  linkName: 157,
  devMajor: 329,
  prefix: 345,
};

/** A header of our writer: `r/tags/7`, 2 bytes, of one second past the epoch. */
function ownHeader(): Buffer {
  const block = Buffer.alloc(512);
  new NumberedFileHeaders('r/tags/', 1).write(block, 0, 7, 2);
  return block;
}

const altered = (at: number, text: string): Buffer => alterHeader(ownHeader(), 0, at, text);

/** A number as GNU tar writes what does not fit the octal digits: a byte 0x80, and the rest in binary. */
function binary(value: bigint, bytes: number): string {
  const digits = value.toString(16).padStart(2 * (bytes - 1), '0');
  return `\u0080${Buffer.from(digits, 'hex').toString('latin1')}`;
}

test('what our writer writes is read as it was meant', () => {
  expect(parseTarHeader(ownHeader())).toEqual({
    ...{ path: 'r/tags/7', type: '0', linkName: '', bytes: 2, mode: 0o600, uid: 0, gid: 0, mtimeSeconds: 1 },
    isPlain: true,
  });
});

describe('a number', () => {
  test('in binary is read: a body of more than 8 GiB, an owner of many digits', () => {
    expect(parseTarHeader(altered(field.size, binary(2n ** 33n, 12)))).toMatchObject({ bytes: 2 ** 33 });
    expect(parseTarHeader(altered(field.uid, binary(2_097_152n, 8)))).toMatchObject({ uid: 2_097_152 });
    const most = BigInt(Number.MAX_SAFE_INTEGER);
    expect(parseTarHeader(altered(field.size, binary(most, 12)))).toMatchObject({ bytes: Number.MAX_SAFE_INTEGER });
  });

  test('in binary that no number holds exactly, or below zero, makes it no header', () => {
    expect(parseTarHeader(altered(field.size, binary(2n ** 53n, 12)))).toBeUndefined();
    expect(parseTarHeader(altered(field.size, '\u00ff'.repeat(12)))).toBeUndefined();
  });

  test('may be left out: a field of NULs is 0, one of blanks alone an error, as to GNU tar', () => {
    for (const empty of ['\0'.repeat(8), '      \0 '])
      expect(parseTarHeader(altered(field.uid, empty))).toMatchObject({ uid: 0, isPlain: true });
    for (const at of [field.mode, field.uid, field.gid])
      expect(parseTarHeader(altered(at, ' '.repeat(8)))).toBeUndefined();
    expect(parseTarHeader(altered(field.size, ' '.repeat(12)))).toBeUndefined();
  });

  test('in binary may be a time before 1970 or after 2242, and no size or owner below zero', () => {
    expect(parseTarHeader(altered(field.mtime, '\u00ff'.repeat(12)))).toMatchObject({ mtimeSeconds: -1 });
    expect(parseTarHeader(altered(field.mtime, binary(2n ** 40n, 12)))).toMatchObject({ mtimeSeconds: 2 ** 40 });
    const beyond = `\u00ff\u0000${'\u00ff'.repeat(10)}`;
    expect(parseTarHeader(altered(field.mtime, beyond))).toBeUndefined();
    expect(parseTarHeader(altered(field.uid, '\u00ff'.repeat(8)))).toBeUndefined();
  });

  test('may have blanks before, and NULs or blanks behind', () => {
    for (const text of ['    644\0', '  644 \0 ', '0000644 ', '00000644'])
      expect(parseTarHeader(altered(field.mode, text))).toMatchObject({ mode: 0o644 });
  });

  test.each(['0000648\0', '644\0\0x\0\0', '-000644\0', '0x00644\0', '\u0001000644\0', '64 4\0\0\0\0'])(
    'of other bytes (%j) makes it no header',
    (text) => {
      for (const at of [field.mode, field.uid, field.gid]) expect(parseTarHeader(altered(at, text))).toBeUndefined();
    },
  );

  test('of a device that there is not makes it none of ours', () => {
    expect(parseTarHeader(altered(field.devMajor, '0000001\0'))).toMatchObject({ isPlain: false });
    expect(parseTarHeader(altered(field.devMajor, 'no digit'))).toMatchObject({ isPlain: false });
  });
});

describe('a text', () => {
  test('may fill its field, without a NUL', () => {
    const name = 'n'.repeat(100);
    const prefix = 'p'.repeat(155);
    const block = alterHeader(altered(field.name, name), 0, field.prefix, prefix);
    expect(parseTarHeader(block)).toMatchObject({ path: `${prefix}/${name}` });
  });

  test.each(['name', 'linkName', 'prefix'] as const)('with more behind its NUL (%s) makes it no header', (which) => {
    expect(parseTarHeader(altered(field[which], 'r/0\0hidden'))).toBeUndefined();
  });

  test.each(['name', 'linkName', 'prefix'] as const)('that is not UTF-8 (%s) makes it no header', (which) => {
    expect(parseTarHeader(altered(field[which], 'r/caf\u00e9'))).toBeUndefined();
  });
});

describe('a block', () => {
  test('with GNU’s magic has no prefix: other things stand there', () => {
    const block = alterHeader(altered(field.prefix, '14000000000\0'), 0, 257, 'ustar  \0');
    expect(parseTarHeader(block)).toMatchObject({ path: 'r/tags/7', isPlain: false });
  });

  test.each(['\0\0\0\0\0\0\0\0', 'ustar\u000001', 'ustar \u000000', 'tar\0\0\0\0\0'])(
    'of magic %j is none',
    (magic) => {
      expect(parseTarHeader(altered(257, magic))).toBeUndefined();
    },
  );

  test.each([
    ['a blank for its leading zero', 0x10, 0],
    ['its end in the other order', 0, 1],
  ])('whose checksum has %s is taken, and plain only in the latter case', (_what, mask, isSwapped) => {
    const block = ownHeader();
    const [first = 0] = block.subarray(148);
    block[148] = first ^ mask;
    if (isSwapped === 1) block.write(' \0', 154, 'latin1');
    expect(first).toBe('0'.charCodeAt(0));
    expect(parseTarHeader(block)).toMatchObject({ isPlain: isSwapped === 1 });
  });

  test('whose checksum is of other bytes, or no number, is none', () => {
    for (const checksum of ['000001\0 ', 'checksum', '      \0 ', '\0\0\0\0\0\0\0\0']) {
      const block = ownHeader();
      block.write(checksum, 148, 'latin1');
      expect(parseTarHeader(block)).toBeUndefined();
    }
  });
});

describe('our writer’s headers', () => {
  test('refuse a body that eleven octal digits cannot tell, and take the largest that they can', () => {
    const headers = new NumberedFileHeaders('r/tags/', 1);
    const block = Buffer.alloc(512);
    headers.write(block, 0, 0, maxBodyBytes);
    expect(parseTarHeader(block)).toMatchObject({ bytes: 8_589_934_591 });
    expect(() => headers.write(block, 0, 0, maxBodyBytes + 1)).toThrow(
      new RangeError('a body of 8589934592 bytes does not fit a tar header'),
    );
  });

  test('refuse a time that eleven octal digits cannot tell, and take the first and the last that they can', () => {
    for (const seconds of [0, 2 ** 31, 8_589_934_591]) {
      const block = Buffer.alloc(512);
      new NumberedFileHeaders('r/tags/', seconds).write(block, 0, 7, 2);
      expect(parseTarHeader(block)).toMatchObject({ mtimeSeconds: seconds });
    }
    for (const seconds of [-1, 8_589_934_592, Number.NaN])
      expect(() => new NumberedFileHeaders('r/tags/', seconds)).toThrow(
        new RangeError(`${seconds} seconds since 1970 do not fit a tar header`),
      );
  });

  test('refuse a path that does not fit, whichever part of it is too long', () => {
    const fits = `${'p'.repeat(155)}/${'n'.repeat(99)}/`;
    expect(parseTarHeader(directoryHeader(fits))).toMatchObject({ path: fits, type: '5', mode: 0o700 });
    for (const path of [`p${fits}`, `${'n'.repeat(100)}/`, `p/${'é'.repeat(50)}/`])
      expect(() => directoryHeader(path)).toThrow(/^path too long for a tar header: /);
    expect(() => new NumberedFileHeaders(`${'p'.repeat(156)}/`, 1)).toThrow(RangeError);
  });

  test('are not recognised where the size has other than octal digits', () => {
    const headers = new NumberedFileHeaders('r/tags/', 1);
    expect(headers.recognise(ownHeader(), 0, 7)).toBe(2);
    for (const size of ['0000000000 ', '0000000008\0', '\0'.repeat(12)])
      expect(headers.recognise(altered(field.size, size), 0, 7)).toBeUndefined();
  });
});
