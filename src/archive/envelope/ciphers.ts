/** OpenPGP's ciphers by number: what Node calls those it has, and what gpg calls the others. */
export interface Cipher {
  readonly name: string;
  /** Of Node's cipher, without its mode; absent where there is none. */
  readonly node?: string;
  readonly keyBytes: number;
  readonly blockBytes: number;
}

const ciphers: Readonly<Record<number, Cipher>> = {
  1: { name: 'IDEA', keyBytes: 16, blockBytes: 8 },
  2: { name: '3DES', node: 'des-ede3', keyBytes: 24, blockBytes: 8 },
  3: { name: 'CAST5', keyBytes: 16, blockBytes: 8 },
  4: { name: 'Blowfish', keyBytes: 16, blockBytes: 8 },
  7: { name: 'AES-128', node: 'aes-128', keyBytes: 16, blockBytes: 16 },
  8: { name: 'AES-192', node: 'aes-192', keyBytes: 24, blockBytes: 16 },
  9: { name: 'AES-256', node: 'aes-256', keyBytes: 32, blockBytes: 16 },
  10: { name: 'Twofish', keyBytes: 32, blockBytes: 16 },
  11: { name: 'Camellia-128', node: 'camellia-128', keyBytes: 16, blockBytes: 16 },
  12: { name: 'Camellia-192', node: 'camellia-192', keyBytes: 24, blockBytes: 16 },
  13: { name: 'Camellia-256', node: 'camellia-256', keyBytes: 32, blockBytes: 16 },
};

export function cipherOf(id: number): Cipher {
  return ciphers[id] ?? { name: `cipher ${id}`, keyBytes: 0, blockBytes: 0 };
}
