/** ASCII armour around an OpenPGP message, taken off as it streams by. */
import { DamagedInputError } from '../damaged-input.js';

/** Longer than any line of armour or header of it. */
const maxLineBytes = 4096;

/**
 * Gives the message in the armour. Its checksum is passed over, as RFC 9580 wants: the message proves itself. Throws
 * DamagedInputError for what is no base64, has no end, or goes on after it.
 */
export async function* dearmour(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let place: 'headers' | 'message' | 'checksum' | 'behind' = 'headers';
  /** Less than four characters, or the padding that ends the message. */
  let rest = '';
  for await (const lines of linesOf(chunks)) {
    const texts: string[] = [rest];
    for (const line of lines) {
      const text = line.trimEnd();
      if (place === 'behind') {
        if (text !== '') throw new DamagedInputError('goes on after the end of its OpenPGP armour');
      } else if (place === 'headers') {
        // The first line is what it was recognised by; an empty one ends the headers.
        if (text === '') place = 'message';
      } else if (text === '-----END PGP MESSAGE-----') {
        place = 'behind';
      } else if (text.startsWith('=') && text.length === 5) {
        place = 'checksum';
      } else if (place === 'checksum') {
        throw damaged('goes on after its checksum');
      } else {
        texts.push(text);
      }
    }
    const text = texts.join('');
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw damaged('has a line that is no base64');
    rest = text.endsWith('=') && place === 'message' ? text.slice(-4) : text.slice(text.length - (text.length % 4));
    if (place !== 'message' && place !== 'headers' && rest !== '') throw damaged('has a line that is cut short');
    if (text.length > rest.length) yield Buffer.from(text.slice(0, text.length - rest.length), 'base64');
  }
  if (place !== 'behind') {
    throw new DamagedInputError('is cut short: it is encrypted, and the end of its armour is missing');
  }
}

function damaged(how: string): DamagedInputError {
  return new DamagedInputError(`is damaged OpenPGP armour: it ${how}`);
}

/** The whole lines of each chunk. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string[], void, undefined> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLineBytes) throw damaged('has a line without an end');
    yield lines;
  }
  yield [rest];
}
