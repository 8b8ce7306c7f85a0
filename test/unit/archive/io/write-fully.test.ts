import { expect, test } from '@jest/globals';
import { writeFully } from '#src/archive/io/write-fully.js';

/** Takes what `takes` says, one number for each call; a code is thrown. */
function target(takes: readonly (number | string)[]): { write: (bytes: Buffer) => Promise<void>; taken: () => string } {
  const left = [...takes];
  let taken = '';
  const writeSome = (bytes: Buffer, offset: number): Promise<number> => {
    const next = left.shift() ?? bytes.length;
    if (typeof next === 'string') return Promise.reject(Object.assign(new Error(next), { code: next }));
    const part = bytes.subarray(offset, offset + next);
    taken += part.toString();
    return Promise.resolve(part.length);
  };
  return { write: (bytes) => writeFully(writeSome, bytes), taken: () => taken };
}

test.each([[[]], [[1, 2]], [['EAGAIN', 4, 'EAGAIN', 'EAGAIN', 1]]])(
  'writes on until all is taken: %j',
  async (takes) => {
    const { write, taken } = target(takes);
    await write(Buffer.from('0123456789'));
    expect(taken()).toBe('0123456789');
  },
);

test.each(['ENOSPC', 'EFBIG', 'EDQUOT', 'EIO', 'EPIPE'])('fails with %s after a part was taken', async (code) => {
  const { write, taken } = target([7, code]);
  await expect(write(Buffer.from('0123456789'))).rejects.toMatchObject({ code });
  expect(taken()).toBe('0123456');
});

test('fails where nothing is taken and no error is given', async () => {
  const { write } = target([3, 0]);
  await expect(write(Buffer.from('0123456789'))).rejects.toMatchObject({ code: 'EIO' });
});
