/** Changes to tars at random, by the rules of tar, so that they reach what stands behind its checks. */
import { byteMutations, insert, mutate, splice, type Mutant, type Mutation, type Random } from './byte-mutations.js';
import { alterHeader } from './tar-blocks.js';

const blockBytes = 512;

const names: readonly [string, ...string[]] = [
  ...(['', '.', '/', '..', '../x', '/etc/passwd', 'a//b', './a', 'a\\b', 'a\nb', '\u0001', 'x/../y'] as const),
  ...([
    'dtr-backup-v2.9.4-online',
    'dtr-backup-v2.9.4-online/manifest.json',
    'dtr-backup-v2.9.4-online/rethink/tags/0',
  ] as const),
  ...(['dtr-backup-v2.9.4-online/rethink/tags/', 'dtr-backup-v2.9.4-online/certs/ca/./rethink/cert.pem'] as const),
];
const numbers: readonly [string, ...string[]] = [
  ...([
    '00000000000\0',
    '00000000001\0',
    '77777777777\0',
    '           \0',
    '-0000000001\0',
    '00000001000 ',
    '0x000000010\0',
  ] as const),
  ...([
    '\x80\0\0\0\0\0\0\0\0\0\0\x05',
    '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff',
    '\0\0\0\0\0\0\0\0\0\0\0\0',
  ] as const),
];
const types: readonly [string, ...string[]] = [
  '0',
  '1',
  '2',
  '3',
  '5',
  '6',
  '7',
  'x',
  'g',
  'L',
  'K',
  'S',
  'D',
  'M',
  'V',
  'Z',
  '\0',
];

/** The fields of a header: where each stands, and what may be written there. */
const fields: readonly [Field, ...Field[]] = [
  { at: 0, bytes: 100, texts: names },
  { at: 100, bytes: 8, texts: ['0000600\0', '0007777\0', '       \0', 'garbage\0'] },
  { at: 124, bytes: 12, texts: numbers },
  { at: 136, bytes: 12, texts: numbers },
  { at: 156, bytes: 1, texts: types },
  { at: 157, bytes: 100, texts: names },
  { at: 257, bytes: 8, texts: ['ustar\x0000', 'ustar  \0', '\0\0\0\0\0\0\0\0', 'ustar\x0001'] },
  { at: 345, bytes: 155, texts: names },
];
interface Field {
  readonly at: number;
  readonly bytes: number;
  readonly texts: readonly [string, ...string[]];
}

/** Of tars: everything below has good checksums. */
const tarMutations: Readonly<Record<string, Mutation>> = {
  'a header field': (tar, random) => {
    const { at, bytes, texts } = random.pick(fields);
    return alterHeader(tar, headerOf(tar, random), at, random.pick(texts).padEnd(bytes, '\0').slice(0, bytes));
  },
  'a character of a header': (tar, random) => {
    return alterHeader(tar, headerOf(tar, random), random.below(blockBytes), String.fromCharCode(random.below(256)));
  },
  'a size a little off': (tar, random) => {
    const at = headerOf(tar, random);
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8) + random.pick([-1, 1, 512, -512]);
    return alterHeader(tar, at, 124, `${Math.max(0, size).toString(8).padStart(11, '0')}\0`);
  },
  'an entry left out': (tar, random) => {
    const at = headerOf(tar, random);
    return splice(tar, at, entryEnd(tar, at) - at);
  },
  'an entry twice': (tar, random) => {
    const at = headerOf(tar, random);
    return insert(tar, random.pick([at, headerOf(tar, random)]), tar.subarray(at, entryEnd(tar, at)));
  },
  'an entry elsewhere': (tar, random) => {
    const at = headerOf(tar, random);
    const entry = tar.subarray(at, entryEnd(tar, at));
    const others = splice(tar, at, entry.length);
    return insert(others, headerOf(others, random), entry);
  },
  'an extended header': (tar, random) => {
    const [key, value] = random.pick(records);
    const type = random.pick(['x', 'x', 'g', 'X']);
    return insert(tar, headerOf(tar, random), madeEntry(tar, { name: 'PaxHeader', type, body: paxRecord(key, value) }));
  },
  'a GNU name': (tar, random) => {
    const body = `${random.pick(names)}\0`;
    return insert(
      tar,
      headerOf(tar, random),
      madeEntry(tar, { name: '././@LongLink', type: random.pick(['L', 'K']), body }),
    );
  },
  'an entry of another kind': (tar, random) => {
    const made = { name: random.pick(names), type: random.pick(types), body: random.pick(['', 'x', 'x'.repeat(600)]) };
    return insert(tar, headerOf(tar, random), madeEntry(tar, made));
  },
  'zero blocks': (tar, random) => insert(tar, headerOf(tar, random), Buffer.alloc(blockBytes * random.pick([1, 2, 3]))),
  'two blocks swapped': (tar, random) => {
    const [one, other] = [blockOf(tar, random), blockOf(tar, random)];
    const altered = Buffer.from(tar);
    tar.copy(altered, one, other, other + blockBytes);
    tar.copy(altered, other, one, one + blockBytes);
    return altered;
  },
  'blocks left out': (tar, random) => splice(tar, blockOf(tar, random), blockBytes * random.pick([1, 2, 5])),
  'blocks twice': (tar, random) => {
    const at = blockOf(tar, random);
    return insert(tar, at, tar.subarray(at, at + blockBytes * random.pick([1, 2, 5])));
  },
  'cut at a block': (tar, random) => tar.subarray(0, blockOf(tar, random)),
};

const records: readonly [Pair, ...Pair[]] = [
  ['path', 'dtr-backup-v2.9.4-online/rethink/tags/1'],
  ['path', 'dtr-backup-v2.9.4-online/certs/ca/rethink/cert.pem\0x'],
  ['path', 'dtr-backup-v2.9.4-online/certs/ca/./rethink/cert.pem'],
  ['path', ''],
  ['path', '../x'],
  ['linkpath', '/etc/passwd'],
  ['size', '0'],
  ['size', '99999999999999999999'],
  ['size', '1e1'],
  ['mtime', '-1.5'],
  ['uid', '99999999999'],
  ['comment', 'x'],
  ['hdrcharset', 'BINARY'],
  ['GNU.sparse.major', '1'],
  ['GNU.sparse.realsize', '10000000000000'],
  ['GNU.sparse.map', '0,1'],
  ['GNU.sparse.name', 'dtr-backup-v2.9.4-online/rethink/tags/1'],
  ['SCHILY.xattr.user.x', 'y'],
];
type Pair = readonly [string, string];

/** A tar changed in one to three ways. */
export function mutateTar(tar: Buffer, random: Random): Mutant {
  return mutate(tar, { ...tarMutations, ...byteMutations }, random);
}

function blockOf(tar: Buffer, random: Random): number {
  return random.below(Math.max(1, Math.floor(tar.length / blockBytes))) * blockBytes;
}

/** Where one of the headers stands that can be found from the start. */
function headerOf(tar: Buffer, random: Random): number {
  const headers: [number, ...number[]] = [0];
  for (let at = entryEnd(tar, 0); at + blockBytes <= tar.length && tar[at] !== 0; at = entryEnd(tar, at))
    headers.push(at);
  return random.pick(headers);
}

function entryEnd(tar: Buffer, at: number): number {
  const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8);
  return at + blockBytes + (size > 0 ? Math.ceil(size / blockBytes) * blockBytes : 0);
}

/** With the first header of the tar for all that is not said. */
function madeEntry(tar: Buffer, { name, type, body }: { name: string; type: string; body: string }): Buffer {
  const bytes = Buffer.from(body, 'latin1');
  let header: Buffer = Buffer.from(tar.subarray(0, blockBytes));
  header = alterHeader(header, 0, 0, name.padEnd(100, '\0').slice(0, 100));
  header = alterHeader(header, 0, 124, `${bytes.length.toString(8).padStart(11, '0')}\0`);
  header = alterHeader(header, 0, 156, type);
  return Buffer.concat([header, bytes, Buffer.alloc(-bytes.length & (blockBytes - 1))]);
}

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (`${length}`.length + rest.length !== length) length += 1;
  return `${length}${rest}`;
}
