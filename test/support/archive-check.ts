/** Looks into an archive with eyes of its own (tar-stream, plan and manifest), for tests of whole backups. */
import { createHash } from 'node:crypto';
import { decodeManifest, decodePlan } from '#src/archive/manifest.js';
import type { Manifest, Plan } from '#src/model/manifest.js';
import { readTarEntries } from './tar-entries.js';

export interface CheckedArchive {
  readonly plan: Plan;
  readonly manifest: Manifest;
  readonly names: readonly string[];
  /** The bodies of a table's entries in order. */
  readonly documents: (table: string) => string[];
  readonly files: ReadonlyMap<string, Buffer>;
}

/** Throws when the archive is not whole: no manifest at the end, no end blocks, a table that does not match. */
export async function checkArchive(tar: Buffer): Promise<CheckedArchive> {
  if (tar.length < 2048 || tar.subarray(-1024).some((byte) => byte !== 0)) throw new Error('no end blocks');
  const entries = await readTarEntries(tar);
  const names = entries.map(({ header }) => header.name);
  const root = names[0] ?? '';
  if (names.at(-1) !== `${root}manifest.json`) throw new Error(`the last entry is ${names.at(-1) ?? 'missing'}`);
  const files = new Map(entries.map(({ header, body }) => [header.name, body]));
  if (names[1] !== `${root}plan.json`) throw new Error(`the second entry is ${names[1] ?? 'missing'}`);
  const plan = decodePlan(entries[1]?.body ?? Buffer.alloc(0));
  const manifest = decodeManifest(entries.at(-1)?.body ?? Buffer.alloc(0));
  const documents = (table: string): string[] => {
    const directory = `${root}rethink/${table}/`;
    const numbered = entries.filter(({ header }) => header.name.startsWith(directory) && header.name !== directory);
    numbered.forEach(({ header }, index) => {
      if (header.name !== `${directory}${index}`) throw new Error(`${header.name} stands at ${index}`);
    });
    return numbered.map(({ body }) => body.toString('utf8'));
  };
  for (const { directory, documents: checksums } of manifest.tables) {
    const texts = documents(directory);
    const hash = createHash('sha256')
      .update(texts.map((text) => `${text}\n`).join(''))
      .digest('hex');
    if (texts.length !== checksums.count || hash !== checksums.sha256)
      throw new Error(`${directory} does not match the manifest`);
  }
  return { plan, manifest, names, documents, files };
}

/** Whether anything in these bytes could make somebody take them for a whole archive. */
export function looksFinished(tar: Buffer): boolean {
  return tar.includes('manifest.json') || (tar.length >= 1024 && tar.subarray(-1024).every((byte) => byte === 0));
}
