/** OpenPGP keys in armoured text: every block of it, and every key in each. */
import { readKeys, unarmor, type Key } from 'openpgp';
import { readTags } from './packets.js';

const keyTags: ReadonlySet<number> = new Set([5, 6]);

/**
 * Each key once: what is said of one key in several places is put together. Throws an Error with a reason for what is
 * cut short, holds something else, or holds a key that cannot be read: no key is ever passed over.
 */
export async function readKeyRing(text: string): Promise<Key[]> {
  const blocks = text.match(/-----BEGIN PGP (PUBLIC|PRIVATE) KEY BLOCK-----[^]*?-----END PGP \1 KEY BLOCK-----/g) ?? [];
  const begun = text.match(/-----BEGIN /g)?.length ?? 0;
  if (begun > blocks.length) {
    throw new Error(`${begun - blocks.length} of its ${begun} blocks are no key blocks, or cut short`);
  }
  const keys = new Map<string, Key>();
  for (const [index, armored] of blocks.entries()) {
    for (const key of await readBlock(armored, blocks.length > 1 ? ` in block ${index + 1}` : '')) {
      const known = keys.get(key.getFingerprint());
      // Of two kinds of key its types name the one alone.
      const merge = known?.update.bind(known) as ((other: Key) => Promise<Key>) | undefined;
      keys.set(key.getFingerprint(), merge === undefined ? key : await merge(key));
    }
  }
  if (keys.size === 0) throw new Error('no key in it');
  return [...keys.values()];
}

/** As gpg prints it, which is how an operator finds the key. */
export function fingerprintOf(key: Key): string {
  return key.getFingerprint().toUpperCase();
}

async function readBlock(armored: string, where: string): Promise<Key[]> {
  // Without a stream before it there is none behind it.
  const { data } = (await unarmor(armored)) as unknown as { readonly data: Uint8Array };
  const count = (await readTags(Buffer.from(data))).filter((tag) => keyTags.has(tag)).length;
  if (count === 0) throw new Error(`no key in it${where}`);
  const keys = await readKeys({ binaryKeys: data });
  // openpgp leaves out keys of versions that it does not know.
  if (keys.length < count) throw new Error(`${count - keys.length} of ${count} keys${where} are of an unknown version`);
  return keys;
}
