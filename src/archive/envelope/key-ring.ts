/** OpenPGP keys in armoured text: every block of it, and every key in each. */
import {
  enums,
  PacketList,
  PublicKeyPacket,
  PublicSubkeyPacket,
  readKeys,
  SecretKeyPacket,
  SecretSubkeyPacket,
  SignaturePacket,
  unarmor,
  UnparseablePacket,
  UserAttributePacket,
  UserIDPacket,
  type Key,
} from 'openpgp';

/** The packets of a key ring by tag: a mapping, and not the Map that openpgp's types say. */
const ringPackets = Object.fromEntries(
  [
    ...[PublicKeyPacket, PublicSubkeyPacket, SecretKeyPacket, SecretSubkeyPacket],
    ...[SignaturePacket, UserAttributePacket, UserIDPacket],
  ].map((packet) => [packet.tag, packet]),
) as unknown as Parameters<typeof PacketList.fromBinary>[1];

/**
 * Each key once, merged where it occurs several times. Throws an Error with a reason for what is truncated, is not a key,
 * or cannot be read: no key is skipped.
 */
export async function readKeyRing(text: string): Promise<Key[]> {
  const blocks = text.match(/-----BEGIN PGP (PUBLIC|PRIVATE) KEY BLOCK-----[^]*?-----END PGP \1 KEY BLOCK-----/g) ?? [];
  const begun = text.match(/-----BEGIN /g)?.length ?? 0;
  if (begun > blocks.length) {
    throw new Error(`${begun - blocks.length} of its ${begun} blocks are not key blocks, or cut short`);
  }
  const keys = new Map<string, Key>();
  for (const [index, armored] of blocks.entries()) {
    for (const key of await readBlock(armored, blocks.length > 1 ? ` in block ${index + 1}` : '')) {
      const known = keys.get(key.getFingerprint());
      // Its types allow a key of the same kind only.
      const merge = known?.update.bind(known) as ((other: Key) => Promise<Key>) | undefined;
      keys.set(key.getFingerprint(), merge === undefined ? key : await merge(key));
    }
  }
  if (keys.size === 0) throw new Error('no key in it');
  return [...keys.values()];
}

/** As gpg prints it. */
export function fingerprintOf(key: Key): string {
  return key.getFingerprint().toUpperCase();
}

async function readBlock(armored: string, where: string): Promise<Key[]> {
  // Text in, bytes out, which its types leave open.
  const { data } = (await unarmor(armored)) as unknown as { readonly data: Uint8Array };
  const packets = await PacketList.fromBinary(data, ringPackets);
  const keyTags = [enums.packet.publicKey, enums.packet.secretKey];
  // `readKeys` leaves out keys of unknown versions.
  const unknown = packets.filter((one) => one instanceof UnparseablePacket && keyTags.includes(one.tag)).length;
  if (unknown > 0) throw new Error(`keys of an unknown version in it${where}: ${unknown}`);
  if (packets.indexOfTag(...keyTags).length === 0) throw new Error(`no key in it${where}`);
  return readKeys({ binaryKeys: data });
}
