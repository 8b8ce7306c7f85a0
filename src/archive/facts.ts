/** What the summary of an archive says of its content, from the plan and the manifest that were written. */
import type { ImageManifest } from '../model/image-manifest.js';
import type { EntriesChecksum, Manifest, Plan } from '../model/manifest.js';
import type { ArchiveFacts } from '../model/summary.js';
import { oldestExpiry, type CertificateFile } from './entries/certificates.js';
import { imageRoot } from './images/image-layout.js';
import { rootName } from './layout.js';
import { checksumOf, encodeManifest } from './manifest.js';

/** `certificates` are those of the archive. */
export function metadataFacts(plan: Plan, manifest: Manifest, certificates: readonly CertificateFile[]): ArchiveFacts {
  const { tool, replicaId, dtrVersion, startedAt, mode, consistency, rethinkdbVersion } = plan;
  const expiry = oldestExpiry(certificates.map(({ body }) => body));
  const results = new Map(manifest.tables.map((table) => [table.directory, table]));
  return {
    kind: 'metadata',
    tool,
    root: rootName(plan),
    ...(replicaId !== undefined && { replicaId }),
    ...{ dtrVersion, startedAt, finishedAt: manifest.finishedAt, isShort: false, mode, consistency, rethinkdbVersion },
    documents: sumOf(manifest.tables.map(({ documents }) => documents)),
    changes: sumOf(manifest.tables.map(({ changes }) => changes)),
    tables: plan.tables.map(({ directory, database, name }) => {
      const { documents, changes } = results.get(directory) ?? {};
      return { database, name, documents: documents?.count ?? 0, changes: changes?.count ?? 0 };
    }),
    certificates: manifest.certificates.length,
    ...(expiry && { oldestCertificateExpiry: expiry.toISOString() }),
  };
}

/** `isShort`: something that the registry needs is not in the archive, or changed while it was read. */
export function imageFacts(manifest: ImageManifest, isShort: boolean): ArchiveFacts {
  const { tool, replicaId, dtrVersion, startedAt, finishedAt, files, blobs } = manifest;
  const checksum = checksumOf(encodeManifest(manifest));
  return {
    kind: 'images',
    ...{ tool, root: imageRoot(replicaId), replicaId, ...(dtrVersion !== undefined && { dtrVersion }) },
    ...{ startedAt, finishedAt, isShort, files, blobs },
    ...(checksum !== undefined && { checksum }),
    since: manifest.since.map((earlier) => earlier.checksum),
  };
}

function sumOf(checksums: readonly EntriesChecksum[]): { readonly count: number; readonly bytes: number } {
  return {
    count: checksums.reduce((sum, { count }) => sum + count, 0),
    bytes: checksums.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
