/** By what an encrypted OpenPGP message is recognised, without loading what decrypts it. */

export const tags = {
  publicKeySession: 1,
  passphraseSession: 3,
  /** Encrypted without any protection against alteration. */
  unprotectedData: 9,
  marker: 10,
  /** SEIPD: version 1 with MDC, version 2 with AEAD. */
  protectedData: 18,
  /** Of GnuPG 2.3 and later: AEAD, in no RFC. */
  aeadData: 20,
} as const;

/** The packets of encrypted data, of which a message has one, as its last. */
export const dataTags: ReadonlySet<number> = new Set([tags.unprotectedData, tags.protectedData, tags.aeadData]);

/** The versions of the packets that an encrypted message begins with. */
const versions: Readonly<Record<number, readonly number[]>> = {
  [tags.publicKeySession]: [3, 6],
  [tags.passphraseSession]: [4, 5, 6],
  [tags.protectedData]: [1, 2],
  [tags.aeadData]: [1],
};

const armour = Buffer.from('-----BEGIN PGP MESSAGE-----');

/** How many bytes `encryptionOf` wants to see. */
export const headBytes = armour.length;

/** Whether `head`, the first bytes of something, begins an encrypted OpenPGP message. */
export function encryptionOf(head: Buffer): 'binary' | 'armoured' | undefined {
  if (head.indexOf(armour) === 0) return 'armoured';
  const [first = 0, length = 0] = head;
  if ((first & 0x80) === 0) return undefined;
  const isNew = (first & 0x40) !== 0;
  const tag = isNew ? first & 0x3f : (first & 0x3f) >> 2;
  // Old packets tell how many octets their length has, new ones show it in the first of them.
  const lengthBytes = isNew
    ? length < 192 || (length > 223 && length < 255)
      ? 1
      : length < 224
        ? 2
        : 5
    : 1 << (first & 3);
  return versions[tag]?.includes(head[1 + lengthBytes] ?? 0) === true ? 'binary' : undefined;
}
