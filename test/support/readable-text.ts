/** Text of characters for assertions; surrogates that are bytes of their own become U+FFFD. */
import { bytesOfText, type ByteText } from '#src/model/byte-text.js';

export function readableText(text: ByteText): string {
  return bytesOfText(text).toString('utf8');
}
