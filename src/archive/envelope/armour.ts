/**
 * ASCII armour around an OpenPGP message, decoded as a stream. Ours, because openpgp.js holds everything after the first
 * `-` or `=` in memory, and ignores what follows the end.
 */
import { DamagedInputError } from '../damaged-input.js';

/** Longer than any line of armour. */
const maxLineBytes = 4096;

/**
 * Gives the binary message. The armour's checksum is ignored, as in RFC 9580: the message has an integrity check. Throws
 * DamagedInputError for what is not base64, truncated, or followed by anything.
 */
export async function* dearmour(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let place: 'headers' | 'message' | 'checksum' | 'after' = 'headers';
  /** Fewer than four characters, or the padded last four. */
  let rest = '';
  for await (const lines of linesOf(chunks)) {
    const texts: string[] = [rest];
    for (const line of lines) {
      const text = line.trimEnd();
      if (place === 'after') {
        if (text !== '') throw new DamagedInputError('has trailing bytes after its OpenPGP armour');
      } else if (place === 'headers') {
        // The first line was checked by `encryptionOf`; an empty one ends the headers.
        if (text === '') place = 'message';
      } else if (text === '-----END PGP MESSAGE-----') {
        place = 'after';
      } else if (text.startsWith('=') && text.length === 5) {
        place = 'checksum';
      } else if (place === 'checksum') {
        throw damaged('has a line after its checksum');
      } else {
        texts.push(text);
      }
    }
    const text = texts.join('');
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw damaged('has a line that is not base64');
    rest = text.endsWith('=') && place === 'message' ? text.slice(-4) : text.slice(text.length - (text.length % 4));
    if (place !== 'message' && place !== 'headers' && rest !== '') throw damaged('has a truncated line');
    if (text.length > rest.length) yield Buffer.from(text.slice(0, text.length - rest.length), 'base64');
  }
  if (place !== 'after') {
    throw new DamagedInputError('is cut short: it is encrypted, and the end of its armour is missing');
  }
}

function damaged(how: string): DamagedInputError {
  return new DamagedInputError(`is damaged OpenPGP armour: it ${how}`);
}

/** The complete lines of each chunk. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string[], void, undefined> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLineBytes) throw damaged(`has a line of more than ${maxLineBytes} bytes`);
    yield lines;
  }
  yield [rest];
}
