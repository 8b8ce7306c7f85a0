/** What the bench reads: three shapes of documents, as a registry has them, each in a database of its own. */
import { r, withConnection } from '../../test/support/replica/driver.js';
import { eventText } from '../../test/support/replica/seed-events.js';

export interface Shape {
  readonly name: 'events' | 'manifests' | 'scans';
  readonly database: string;
  readonly count: number;
  /** JSON text of document `index`. */
  readonly text: (index: number) => string;
}

export function shapesOf(isQuick: boolean): Shape[] {
  const counts = isQuick
    ? { events: 40_000, manifests: 4000, scans: 10 }
    : { events: 200_000, manifests: 20_000, scans: 50 };
  return [
    { name: 'events', database: 'bench_events', count: counts.events, text: eventText },
    { name: 'manifests', database: 'bench_manifests', count: counts.manifests, text: manifestText },
    { name: 'scans', database: 'bench_scans', count: counts.scans, text: scanText },
  ];
}

/** Writes all documents of a shape. Soft durability, synced at the end. Gives the bytes of all JSON texts. */
export async function seedShape(server: { host: string; port: number }, shape: Shape): Promise<number> {
  const { database, name, count, text } = shape;
  let bytes = 0;
  await withConnection(server, async (connection) => {
    await r.dbCreate(database).run(connection);
    await r.db(database).tableCreate(name).run(connection);
    const batchRows = Math.max(1, Math.min(2000, Math.floor(4e6 / text(0).length)));
    for (let first = 0; first < count; first += batchRows) {
      const texts = Array.from({ length: Math.min(batchRows, count - first) }, (_, offset) => text(first + offset));
      bytes += texts.reduce((sum, one) => sum + Buffer.byteLength(one), 0);
      const insert = r
        .db(database)
        .table(name)
        .insert(r.json(`[${texts.join(',')}]`), { durability: 'soft' });
      const { inserted, first_error: reason } = await insert.run(connection);
      if (inserted !== texts.length) throw new Error(`${name}: ${reason ?? 'refused'}`);
    }
    await r.db(database).table(name).sync().run(connection);
  });
  return bytes;
}

/** About 8 kB: an image's manifest with its layers. */
function manifestText(index: number): string {
  const layers = Array.from({ length: 48 }, (_, layer) => ({
    mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
    size: 1000 * layer + index,
    digest: digestOf(index * 48 + layer),
  }));
  return JSON.stringify({
    id: digestOf(index),
    digest: digestOf(index),
    schemaVersion: 2,
    architecture: 'amd64',
    layers,
  });
}

/** About 4 MB: what a vulnerability scan says of one layer. */
function scanText(index: number): string {
  const components = Array.from({ length: 21_000 }, (_, part) => ({
    component: `lib-${part % 977}`,
    version: `1.${part % 31}.${index}`,
    license: { name: 'GPL "v2"', type: 'copyleft' },
    vulns: [{ cve: `CVE-2019-${10_000 + part}`, cvss: 7.5, summary: 'Heap overflow in a parser; see the vendor.' }],
  }));
  return JSON.stringify({ id: digestOf(index), layer: index, components });
}

function digestOf(index: number): string {
  return `sha256:${index.toString(16).padStart(12, '0')}5d41402abc4b2a76b9719d911017c592`.padEnd(71, 'f');
}
