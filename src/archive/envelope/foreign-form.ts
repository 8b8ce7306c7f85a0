/** What is no tar, looked at more closely: compressed by other means, or mangled on its way. */
import { parseTarHeader } from '../tar/tar-header.js';
import { blockBytes } from '../tar/ustar.js';
import { compressionOf } from './compression.js';
import { encryptionOf } from './message-head.js';

/** How many bytes `foreignFormOf` wants to see. */
export const foreignHeadBytes = 16 * 1024;

const makeAgain = 'its bytes are lost: make it again';

/** First bytes in hexadecimal, and what they are of: words that follow the name of the archive. */
const binaryForms: readonly (readonly [RegExp, string])[] = [
  [/^fd377a585a00/, 'looks like xz: run xz -d first'],
  [/^425a683[1-9](314159265359|177245385090)/, 'looks like bzip2: run bzip2 -d first'],
  [/^04224d18/, 'looks like lz4: run lz4 -d first'],
  [/^4c5a4950/, 'looks like lzip: run lzip -d first'],
  [/^5d0000[0-9a-f]{4}(00|ff)/, 'looks like lzma: run xz --format=lzma -d first'],
  [/^1f9d/, 'looks like compress (.Z): run gzip -d first'],
  [/^504b(0304|0506)/, 'looks like zip: run unzip first, and give the tar that is in it'],
  [/^377abcaf271c/, 'looks like 7z: run 7z x first, and give the tar that is in it'],
  [/^526172211a07/, 'looks like rar: unpack it first, and give the tar that is in it'],
  [/^(fffe|feff)/, `looks like UTF-16, as PowerShell's > writes it: ${makeAgain} with --output, or with cmd.exe`],
  [/^efbbbf/, `begins with a byte order mark, so a program took it for text: ${makeAgain} with --output`],
];

/** The same in Latin-1. */
const textForms: readonly (readonly [RegExp, string])[] = [
  [/^(age-encryption\.org\/|-----BEGIN AGE)/, 'looks like age: run age -d first'],
  [/^Salted__/, 'looks like openssl enc: decrypt it with openssl first'],
  [/^-----BEGIN PGP (?!MESSAGE)/, 'looks like an OpenPGP key or signature: it is no encrypted message'],
  [
    /^\s*<(!doctype|html|head|body|\?xml)/i,
    'looks like a page of HTML or XML: what was stored is an answer of a server',
  ],
  [/^\s*\{\s*"/, 'looks like JSON: what was stored is an answer of a server'],
];

/**
 * What `head`, the first bytes of something that should be a tar, looks like instead, and what to do; undefined for a
 * tar, and for what is like nothing known.
 */
export function foreignFormOf(head: Buffer): string | undefined {
  if (isTarHeader(head)) return undefined;
  const text = head.toString('latin1');
  const bytes = head.toString('hex', 0, 32);
  const binary = binaryForms.find(([first]) => first.test(bytes));
  const [, form] = binary ?? textForms.find(([first]) => first.test(text)) ?? [];
  if (form !== undefined) return form;
  if (isBase64(text)) return 'looks like base64: run base64 -d first';
  const at = startOfArchive(head);
  if (at === undefined) return undefined;
  const how = 'lines of a log get there by 2>&1 or docker run -t';
  return `begins with ${at} bytes of something else, and the archive comes after (${how}): make it again without`;
}

function isBase64(text: string): boolean {
  const start = text.slice(0, 4096);
  if (!/^[A-Za-z0-9+/\r\n]{64,}={0,2}\s*$/.test(start)) return false;
  const decoded = Buffer.from(start, 'base64');
  return isTarHeader(decoded) || isWrapped(decoded);
}

function isTarHeader(head: Buffer): boolean {
  return head.length >= blockBytes && parseTarHeader(head.subarray(0, blockBytes)) !== undefined;
}

function isWrapped(head: Buffer): boolean {
  return compressionOf(head) !== undefined || encryptionOf(head) !== undefined;
}

/** Where in `head` an archive begins; undefined where none does. */
function startOfArchive(head: Buffer): number | undefined {
  for (let at = head.indexOf('ustar'); at !== -1; at = head.indexOf('ustar', at + 1)) {
    const start = at - 257;
    if (start > 0 && isTarHeader(head.subarray(start, start + blockBytes))) return start;
  }
  // Behind a line alone: anything else may hold these few bytes.
  for (let end = head.indexOf('\n'); end !== -1 && end < head.length - 32; end = head.indexOf('\n', end + 1)) {
    const rest = head.subarray(end + 1);
    const isMessage = rest.indexOf('-----BEGIN PGP MESSAGE-----') === 0;
    if (isMessage || rest.indexOf(Buffer.from([0x1f, 0x8b, 0x08])) === 0) return end + 1;
  }
  return undefined;
}
