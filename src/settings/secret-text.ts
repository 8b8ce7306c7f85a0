/**
 * What may be a secret: one line of well-formed UTF-8. Anything else would be another secret to gpg than to us, or the
 * same secret as another: every byte that is not UTF-8 decodes to U+FFFD. No message quotes what it is about.
 */
const rule = 'must be one line of UTF-8 text';

/** A secret, or what is wrong with it: words that follow the name of where it came from. */
export type SecretText = { readonly text: string } | { readonly fault: string };

/**
 * The secret in a file, as `gpg --passphrase-file` reads it: without the newline at its end, and with every other byte,
 * spaces included.
 */
export function secretInFile(bytes: Buffer): SecretText {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return { fault: `${rule}: the file it names is UTF-16; save it as UTF-8 without a byte order mark` };
  }
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) {
    return { fault: `${rule}: byte ${firstDifference(Buffer.from(text), bytes)} of the file it names is not UTF-8` };
  }
  const line = text.replace(/\n$/, '');
  if (line === '') return { fault: `${rule}: the file it names ${text === '' ? 'is empty' : 'holds an empty line'}` };
  return checked(line, 'the file it names');
}

/** A secret in an argument, a variable or `.env`, which come decoded: the bytes they were are not to be had. */
export function secretInText(text: string): SecretText {
  if (text.includes('\ufffd')) {
    return { fault: `${rule}: it holds bytes that are not UTF-8, or U+FFFD itself, which only a file can tell apart` };
  }
  return checked(text, 'it');
}

function checked(text: string, what: string): SecretText {
  if (text.startsWith('\ufeff')) return { fault: `${rule}: ${what} begins with a byte order mark; save it without` };
  if (text.includes('\0')) return { fault: `${rule}: ${what} holds a NUL byte` };
  if (text.endsWith('\r')) {
    return { fault: `${rule}: ${what} ends in a carriage return, which gpg takes as part of it; end the line with LF` };
  }
  const lines = text.split(/\r\n|[\r\n]/).length;
  if (lines > 1) return { fault: `${rule}: ${what} has ${lines} lines` };
  return { text };
}

/** Counted from 1. */
function firstDifference(one: Buffer, other: Buffer): number {
  return other.findIndex((byte, index) => byte !== one[index]) + 1;
}
