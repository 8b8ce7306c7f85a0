/** Explains input that is no tar: compressed or encrypted by other programs, or altered by a transfer in text mode. */
import { parseTarHeader } from '../tar/tar-header.js';
import { blockBytes } from '../tar/ustar.js';
import { compressionOf } from './compression.js';
import { encryptionOf } from './packets.js';

/** How many bytes `foreignFormOf` looks at. */
export const foreignHeadBytes = 16 * 1024;

const makeAgain = 'its bytes are lost: make it again';

/** First bytes in hexadecimal, and the message, which follows the name of the archive. */
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
  [/^-----BEGIN PGP (?!MESSAGE)/, 'looks like an OpenPGP key or signature: it is not an encrypted message'],
  [
    /^\s*<(!doctype|html|head|body|\?xml)/i,
    'looks like HTML or XML: the response of a server was stored instead of an archive',
  ],
  [/^\s*\{\s*"/, 'looks like JSON: the response of a server was stored instead of an archive'],
];

/** What `head`, the first bytes of an input, is instead of a tar, and what to do; undefined for a tar and the unknown. */
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
  return `begins with ${at} bytes before the archive (log lines, by 2>&1 or docker run -t): make it again without them`;
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

/** The offset in `head` at which an archive begins; undefined for none. */
function startOfArchive(head: Buffer): number | undefined {
  for (let at = head.indexOf('ustar'); at !== -1; at = head.indexOf('ustar', at + 1)) {
    const start = at - 257;
    if (start > 0 && isTarHeader(head.subarray(start, start + blockBytes))) return start;
  }
  // Only after a newline: such short patterns occur anywhere.
  for (let end = head.indexOf('\n'); end !== -1 && end < head.length - 32; end = head.indexOf('\n', end + 1)) {
    const rest = head.subarray(end + 1);
    const isMessage = rest.indexOf('-----BEGIN PGP MESSAGE-----') === 0;
    if (isMessage || rest.indexOf(Buffer.from([0x1f, 0x8b, 0x08])) === 0) return end + 1;
  }
  return undefined;
}

/** Random bytes have a CR before one LF in 256. */
const minConvertedLineEnds = 8;

/** Detects a stream in which FTP in text mode, git or a Windows shell has replaced every LF with CR LF. */
export class LineEnds {
  #count = 0;
  #isConverted = true;
  #last = 0;

  /** Gives the chunks unchanged; costs nothing after the first LF without CR. */
  async *watch(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of chunks) {
      if (this.#isConverted) this.#look(chunk);
      yield chunk;
    }
  }

  /** The probable cause, for an input that is damaged; undefined without evidence. */
  hint(): string | undefined {
    if (!this.#isConverted || this.#count < minConvertedLineEnds) return undefined;
    return 'every LF in it follows a CR, as if it had been sent as text: send it as binary';
  }

  #look(chunk: Buffer): void {
    for (let at = chunk.indexOf(0x0a); at !== -1 && this.#isConverted; at = chunk.indexOf(0x0a, at + 1)) {
      this.#isConverted = (at === 0 ? this.#last : chunk[at - 1]) === 0x0d;
      this.#count += 1;
    }
    this.#last = chunk.at(-1) ?? this.#last;
  }
}
