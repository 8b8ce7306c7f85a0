/** OpenPGP key files in their two forms: text with armoured blocks, and the binary key ring that gpg exports by default. */

/** The packets that a binary key ring begins with, and what armour calls each. */
const kinds: Readonly<Record<number, string>> = { 5: 'PRIVATE', 6: 'PUBLIC' };

/** A binary key ring as an armoured block; undefined for what is none, text among it. */
export function armouredKeyRing(bytes: Buffer): string | undefined {
  const [first = 0] = bytes;
  if ((first & 0x80) === 0) return undefined;
  const kind = kinds[(first & 0x40) === 0 ? (first & 0x3f) >> 2 : first & 0x3f];
  if (kind === undefined) return undefined;
  const lines = bytes.toString('base64').replaceAll(/.{64}/g, '$&\n');
  return `-----BEGIN PGP ${kind} KEY BLOCK-----\n\n${lines}\n-----END PGP ${kind} KEY BLOCK-----\n`;
}
