/**
 * What may be a secret: one line of well-formed UTF-8. gpg would read anything else as another secret, and two different
 * secrets could read the same, since every byte that is not UTF-8 decodes to U+FFFD. No fault quotes the text.
 */
const rule = 'must be one line of UTF-8 text';

/** `fault` follows the name of the source in a message. */
type SecretText =
  { readonly kind: 'secret'; readonly text: string } | { readonly kind: 'fault'; readonly fault: string };

/** The secret in a file, as `gpg --passphrase-file` reads it: every byte, spaces included, but a newline at the end. */
export function checkSecretFile(bytes: Buffer): SecretText {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return fault('the file it names is UTF-16; save it as UTF-8 without a byte order mark');
  }
  const text = bytes.toString('utf8');
  const encoded = Buffer.from(text);
  if (!encoded.equals(bytes)) {
    const at = bytes.findIndex((byte, index) => byte !== encoded[index]) + 1;
    return fault(`byte ${at} of the file it names is not UTF-8`);
  }
  const line = text.replace(/\n$/, '');
  if (line === '') return fault(`the file it names ${text === '' ? 'is empty' : 'holds an empty line'}`);
  return checkLine(line, 'the file it names');
}

/** A secret in an argument, a variable or `.env`: Node has decoded it, and its original bytes are unknown. */
export function checkSecretText(text: string): SecretText {
  if (text === '') return { kind: 'fault', fault: 'must be given a value' };
  if (text.includes('\ufffd')) {
    return fault('it holds U+FFFD, which also replaces bytes that are not UTF-8: pass it in a file');
  }
  return checkLine(text, 'it');
}

function checkLine(text: string, what: string): SecretText {
  if (text.startsWith('\ufeff')) return fault(`${what} begins with a byte order mark; save it without`);
  if (text.includes('\0')) return fault(`${what} holds a NUL byte`);
  if (text.endsWith('\r')) {
    return fault(`${what} ends in a carriage return, which gpg takes as part of it; end the line with LF`);
  }
  const lineCount = text.split(/\r\n|[\r\n]/).length;
  return lineCount > 1 ? fault(`${what} has ${lineCount} lines`) : { kind: 'secret', text };
}

function fault(what: string): SecretText {
  return { kind: 'fault', fault: `${rule}: ${what}` };
}
