/**
 * Sparse files in a tar, in the PAX format 1.0 of GNU tar ("Storing Sparse Files" in its manual): the body is a map of
 * where the data lies, in decimal lines up to a whole block, and then the data without what lies between.
 */
import { DamagedInputError } from '../io/damaged-input.js';
import { ByteSource } from './byte-source.js';
import { blockBytes, paddingBytes } from './ustar.js';

/** Data in a sparse file; all else in it is zeros. */
export interface Segment {
  readonly offset: number;
  readonly bytes: number;
}

/** What a map may hold at the most; the walk of a mounted storage finds fewer. */
const mostSegments = 100_000;

const zeroPieceBytes = 256 * 1024;
const zeroPiece = Buffer.alloc(zeroPieceBytes);

/** What the PAX header of a sparse file says; `bytes` is its size with the holes. */
export function sparseRecords(path: string, bytes: number): Readonly<Record<string, string>> {
  return {
    ...{ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' },
    ...{ 'GNU.sparse.name': path, 'GNU.sparse.realsize': String(bytes) },
  };
}

/** What a PAX header says of a sparse file; undefined where it is not one of this form. */
export function parseSparseRecords(
  records: ReadonlyMap<string, string>,
): { readonly path: string; readonly bytes: number } | undefined {
  const path = records.get('GNU.sparse.name') ?? '';
  const size = records.get('GNU.sparse.realsize') ?? '';
  const isOwn = Object.entries(sparseRecords(path, Number(size))).every(([key, value]) => records.get(key) === value);
  return isOwn && /^\d{1,15}$/.test(size) ? { path, bytes: Number(size) } : undefined;
}

/** The path in the header itself, as GNU tar has it: who does not know the format does not take the body for the file. */
export function sparseHeaderPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return `${path.slice(0, slash + 1)}GNUSparseFile.0/${path.slice(slash + 1)}`;
}

/** The size of its body. */
export function sparseBodyBytes(bytes: number, segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.bytes, encodeSparseMap(segments, bytes).length);
}

/** The body, of the file's content. */
export async function* sparseBody(
  content: AsyncIterable<Buffer>,
  bytes: number,
  segments: readonly Segment[],
): AsyncGenerator<Buffer, void, undefined> {
  yield encodeSparseMap(segments, bytes);
  yield* withoutHoles(content, segments);
}

/** The map; the segments stand in order and do not touch. GNU tar takes an empty one at the end for the size. */
function encodeSparseMap(segments: readonly Segment[], bytes: number): Buffer {
  const last = segments.at(-1);
  const isHoleAtEnd = last === undefined || last.offset + last.bytes < bytes;
  const all = isHoleAtEnd ? [...segments, { offset: bytes, bytes: 0 }] : segments;
  const numbers = [all.length, ...all.flatMap((segment) => [segment.offset, segment.bytes])];
  const text = numbers.map((number) => `${number}\n`).join('');
  return Buffer.from(text.padEnd(text.length + paddingBytes(text.length), '\0'), 'latin1');
}

/** What of the content stands behind the map. */
async function* withoutHoles(
  content: AsyncIterable<Buffer>,
  segments: readonly Segment[],
): AsyncGenerator<Buffer, void, undefined> {
  const left = [...segments];
  let position = 0;
  for await (const piece of content) {
    const end = position + piece.length;
    for (let segment = left[0]; segment !== undefined && segment.offset < end; segment = left[0]) {
      const segmentEnd = segment.offset + segment.bytes;
      const from = Math.max(segment.offset, position);
      if (from < segmentEnd) yield piece.subarray(from - position, Math.min(segmentEnd, end) - position);
      if (segmentEnd > end) break;
      left.shift();
    }
    position = end;
  }
}

/**
 * The content of a file of so many bytes, from its body; ends early where the body does. Throws a DamagedInputError
 * where map and sizes do not agree.
 */
export async function* sparseContent(
  body: AsyncIterable<Buffer>,
  bodyBytes: number,
  bytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  const source = new ByteSource(body);
  const segments = await readSparseMap(source);
  if (segments === undefined) return;
  const dataBytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  if (source.position + dataBytes !== bodyBytes || !isMapOf(segments, bytes)) throw malformed();
  let position = 0;
  for (const segment of segments) {
    yield* zeros(segment.offset - position);
    position = segment.offset + segment.bytes;
    for (let left = segment.bytes; left > 0;) {
      if (source.available === 0 && !(await source.fill(1))) return;
      const piece = source.take(Math.min(left, source.available));
      left -= piece.length;
      yield piece;
    }
  }
  yield* zeros(bytes - position);
  // The body's own end tells of what follows it.
  await source.fill(1);
}

/** So many zeros, in pieces that all are one: for readers only. */
export function* zeros(bytes: number): Generator<Buffer, void, undefined> {
  for (let left = bytes; left > 0; left -= Math.min(left, zeroPieceBytes)) {
    yield zeroPiece.subarray(0, Math.min(left, zeroPieceBytes));
  }
}

/** Undefined where the body ends in it. */
async function readSparseMap(source: ByteSource): Promise<Segment[] | undefined> {
  const numbers: number[] = [];
  let rest = '';
  while (numbers.length === 0 || numbers.length < 1 + 2 * (numbers[0] ?? 0)) {
    if (!(await source.fill(blockBytes))) return undefined;
    const lines = (rest + source.use(blockBytes).toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    // One spelling of each number, so that no altered byte goes unseen.
    if (!lines.every((line) => /^(0|[1-9]\d{0,14})$/.test(line)) || rest.length >= blockBytes) throw malformed();
    numbers.push(...lines.map(Number));
    if ((numbers[0] ?? 0) > mostSegments) throw malformed();
  }
  const [count = 0, ...pairs] = numbers;
  if (pairs.length !== 2 * count || !/^\0*$/.test(rest)) throw malformed();
  return Array.from({ length: count }, (_, index) => ({
    offset: pairs[2 * index] ?? 0,
    bytes: pairs[2 * index + 1] ?? 0,
  }));
}

/** In order, apart from one another, none empty but the one that stands for a hole at the end. */
function isMapOf(segments: readonly Segment[], bytes: number): boolean {
  let end = -1;
  for (const segment of segments) {
    const isEmpty = segment.bytes === 0 && segment.offset !== bytes;
    if (isEmpty || segment.offset <= end) return false;
    end = segment.offset + segment.bytes;
  }
  return end === bytes;
}

function malformed(): DamagedInputError {
  return new DamagedInputError('has a sparse file whose map is malformed');
}
