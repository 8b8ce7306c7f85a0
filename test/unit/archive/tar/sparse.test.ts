// Sparse files in a tar: any content comes back, and no other map passes for theirs.
import fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { sparseBody, sparseBodyBytes, sparseContent, type Segment } from '#src/archive/tar/sparse.js';

async function* cut(bytes: Buffer, pieceBytes: number): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    yield await Promise.resolve(bytes.subarray(at, at + pieceBytes));
  }
}

async function joined(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** Data and holes by turns, of these lengths; ends in a hole where their number is odd. */
function fileOf(holes: readonly number[], isHoleAtEnd: boolean): { content: Buffer; segments: Segment[] } {
  const segments: Segment[] = [];
  const parts: Buffer[] = [];
  let offset = 0;
  for (const [index, length] of holes.entries()) {
    parts.push(Buffer.alloc(length), Buffer.alloc(index + 1, 'x'));
    segments.push({ offset: offset + length, bytes: index + 1 });
    offset += length + index + 1;
  }
  if (isHoleAtEnd) parts.push(Buffer.alloc(777));
  return { content: Buffer.concat(parts), segments };
}

const text = (map: string): Buffer => Buffer.from(map.padEnd(512, '\0'), 'latin1');

function contentOf(body: Buffer, bytes: number): Promise<Buffer> {
  return joined(sparseContent(cut(body, 300), body.length, bytes));
}

describe('a sparse file', () => {
  test('comes back, whatever its holes and the pieces it comes in', async () => {
    const anyHoles = fc.array(fc.integer({ min: 1, max: 2000 }), { maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(anyHoles, fc.boolean(), fc.integer({ min: 1, max: 700 }), async (holes, isAtEnd, pieceBytes) => {
        const { content, segments } = fileOf(holes, isAtEnd || holes.length === 0);
        const body = await joined(sparseBody(cut(content, pieceBytes), content.length, segments));
        expect(body).toHaveLength(sparseBodyBytes(content.length, segments));
        const back = await joined(sparseContent(cut(body, pieceBytes), body.length, content.length));
        expect(back.equals(content)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('may begin with data, and end with it', async () => {
    const body = Buffer.concat([text('2\n0\n2\n600\n1\n'), Buffer.from('abc')]);
    const content = await contentOf(body, 601);
    expect(content).toEqual(Buffer.concat([Buffer.from('ab'), Buffer.alloc(598), Buffer.from('c')]));
  });

  test('whose body is cut short ends early, which is for the tar to tell', async () => {
    const body = Buffer.concat([text('1\n600\n3\n'), Buffer.from('abc')]);
    for (const length of [0, 511, 513]) {
      const content = await joined(sparseContent(cut(body.subarray(0, length), 300), body.length, 603));
      expect(content.length).toBeLessThan(603);
    }
  });

  test.each([
    ['a number in another spelling', '1\n0600\n3\n'],
    ['a number that is none', '1\n-1\n3\n'],
    ['a number without end', '9'.repeat(512)],
    ['more numbers than it says', '1\n600\n3\n9\n'],
    ['something in its padding', '1\n600\n3\n\0x'],
    ['too many segments', '100001\n600\n3\n'],
    ['segments that touch', '2\n0\n600\n600\n3\n'],
    ['segments out of order', '2\n602\n1\n0\n2\n'],
    ['an empty segment in the middle', '2\n10\n0\n600\n3\n'],
    ['another size than the file', '1\n599\n3\n'],
    ['a hole at the end that it does not tell', '1\n0\n3\n'],
    ['more data than the body', '1\n500\n103\n'],
    ['no segment', '0\n'],
  ])('is refused with a map that has %s', async (_how, map) => {
    const body = Buffer.concat([text(map), Buffer.from('abc')]);
    await expect(contentOf(body, 603)).rejects.toThrow('has a sparse file whose map is malformed');
  });
});
