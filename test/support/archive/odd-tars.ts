/** Tars whose headers say things in many ways, most of them allowed to somebody: drawn from a list, by a seed. */

export interface Header {
  readonly name: string | Buffer;
  readonly prefix?: string | Buffer;
  readonly type?: string;
  /** As it stands in its field; made of the body when left out. */
  readonly size?: string | Buffer;
  readonly link?: string;
  readonly magic?: string;
  readonly body?: string | Buffer;
}

const octal = (number: number, digits: number): string => number.toString(8).padStart(digits, '0');

/** Header, body and padding, with a good checksum. */
export function rawEntry({
  name,
  prefix = '',
  type = '0',
  size,
  link = '',
  magic = 'ustar\u000000',
  body = '',
}: Header): Buffer {
  const bytes = Buffer.from(body);
  const block = Buffer.alloc(512);
  const put = (value: string | Buffer, at: number): void =>
    void (typeof value === 'string' ? Buffer.from(value) : value).copy(block, at);
  put(name, 0);
  put('0000600', 100);
  put('0000000', 108);
  put('0000000', 116);
  put(size ?? octal(bytes.length, 11), 124);
  put(octal(1_700_000_000, 11), 136);
  put(' '.repeat(8), 148);
  put(type, 156);
  put(link, 157);
  put(magic, 257);
  put(prefix, 345);
  put(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
  );
  return Buffer.concat([block, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** One PAX record; a length of one's own may lie. */
export function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length;
  while (String(length).length + rest.length > length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

export const paxHeader = (...records: readonly (readonly [string, string | Buffer])[]): Buffer =>
  rawEntry({ name: 'x', type: 'x', body: Buffer.concat(records.map(([key, value]) => paxRecord(key, value))) });

export const gnuName = (type: 'L' | 'K', name: string): Buffer =>
  rawEntry({ name: '././@LongLink', type, magic: 'ustar  \0', body: name });

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const paths = [
  'r/rethink/tags/0',
  'r/rethink/tags/1',
  'r/certs/ca/a',
  'r/certs/ca/b',
  'r/certs/ca/a/c',
  'r/certs/ca/ü',
];

/** The same path, or what some program takes for it. */
const spellings: readonly ((path: string) => string)[] = [
  ...Array.from({ length: 8 }, () => (path: string) => path),
  (path) => `./${path}`,
  (path) => `${path}/`,
  (path) => path.replace('r/', 'r/./'),
  (path) => path.replace('r/', 'r//'),
  (path) => `${path}\0x`,
  (path) => `${path}/.`,
  (path) => `/${path}`,
  (path) => path.replace('r/', 'r/x/../'),
  (path) => `${path} `,
];

/** A tar of up to five entries, with the directories they lie in or without. */
export function oddTar(seed: number): Buffer {
  const random = randomOf(seed);
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const parts: Buffer[] = [];
  const directories = ['r/', 'r/rethink/', 'r/rethink/tags/', 'r/certs/', 'r/certs/ca/'];
  if (random() < 0.7) parts.push(...directories.map((name) => rawEntry({ name, type: '5' })));
  parts.push(rawEntry({ name: 'r/rethink/tags/0', body: '{"id":0}' }));
  for (let count = Math.ceil(random() * 2); count > 0; count -= 1) parts.push(...oddEntry(random, one));
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

function oddEntry(random: () => number, one: <T>(list: readonly T[]) => T): Buffer[] {
  const path = one(spellings)(one(paths));
  const body = `{"id":${Math.floor(random() * 1e6)}}`;
  const size = octal(body.length, 11);
  const plain: Header = { name: path, body };
  const how: readonly (() => Buffer[])[] = [
    ...Array.from({ length: 4 }, () => () => [rawEntry(plain)]),
    () => [
      rawEntry({
        ...plain,
        type: one(['0', '\0', '7', '5', '1', '2', 'S', 'D', 'V', 'X', 'A', 'N']),
        link: one(paths),
      }),
    ],
    () => [rawEntry({ ...plain, body: '', type: one(['5', '1', '2', '\0']), link: one(paths) })],
    () => [rawEntry({ ...plain, magic: one(['ustar  \0', 'ustar\u000000', 'ustar\0  ', '\0\0\0\0\0\0\0\0']) })],
    () => [rawEntry({ ...plain, name: path.slice(2), prefix: one(['r', 'r/', './r', 'r\0x', 'q']) })],
    () => [rawEntry({ ...plain, name: path.slice(2), prefix: 'r', magic: 'ustar  \0' })],
    () => [
      rawEntry({
        ...plain,
        size: one([
          `${size.slice(2)}\0 `,
          `  ${size.slice(2)}`,
          ' '.repeat(12),
          `${size}\0`,
          Buffer.from([0x80, ...Array<number>(10).fill(0), body.length]),
          Buffer.from([0xff, ...Array<number>(10).fill(0xff), 0x80]),
          Buffer.from([0x81, ...Array<number>(10).fill(0), body.length]),
          `+${size.slice(1)}`,
          `\t${size.slice(1)}`,
        ]),
      }),
    ],
    () => [paxHeader(['path', path]), rawEntry({ ...plain, name: 'x' })],
    () => [paxHeader(['path', one(['', 'r/\0', path])], ['linkpath', one(paths)]), rawEntry(plain)],
    () => [paxHeader(['size', one(['', String(body.length), '512', '0', '+8', ' 8', '08'])]), rawEntry(plain)],
    () => [
      paxHeader([one(['hdrcharset', 'GNU.sparse.name', 'SCHILY.realsize', 'comment', 'odd']), one(paths)]),
      rawEntry(plain),
    ],
    () => [
      paxHeader(
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', path],
        ['GNU.sparse.realsize', '9'],
      ),
      rawEntry(plain),
    ],
    () => [paxHeader(['path', path]), paxHeader(['path', one(paths)]), rawEntry({ ...plain, name: 'x' })],
    () => [
      rawEntry({ name: 'g', type: 'g', body: paxRecord(one(['path', 'comment', 'size', 'linkpath']), path) }),
      rawEntry(plain),
    ],
    () => [gnuName('L', `${path}\0`), rawEntry({ ...plain, name: 'x' })],
    () => [gnuName('L', one([path, `${path}\0x\0`, '\0', `${path}\0\0`])), rawEntry({ ...plain, name: 'x' })],
    () => [gnuName('L', `${path}\0`), gnuName('L', `${one(paths)}\0`), rawEntry({ ...plain, name: 'x' })],
    () => [gnuName('L', `${path}\0`), paxHeader(['path', one(paths)]), rawEntry({ ...plain, name: 'x' })],
    () => [paxHeader(['path', path]), gnuName('L', `${one(paths)}\0`), rawEntry({ ...plain, name: 'x' })],
    () => [paxHeader(['path', path])],
    () => [Buffer.alloc(512), rawEntry(plain)],
  ];
  return one(how)();
}
