/**
 * The summary of an archive: `NAME.json` beside it in its place, written after it. What `list` and `prune` need to know is
 * in it, so that they read no archives. docs/places.md describes it.
 */
import { z } from 'zod';

export const summaryVersion = 1;

const count = z.int().nonnegative();
const amount = z.object({ count, bytes: count });
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const commonShape = {
  summaryVersion: z.literal(summaryVersion),
  tool: z.object({ name: z.string(), version: z.string() }),
  /** The last part of its path, or of its key. */
  name: z.string().min(1),
  /** The root directory inside. */
  root: z.string().min(1),
  replicaId: z.string().exactOptional(),
  dtrVersion: z.string().exactOptional(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** The bytes as they lie there, compressed and encrypted as they are. */
  stored: z.object({ bytes: count, sha256 }),
  isEncrypted: z.boolean(),
  /** Whether an operator has to look at it: images of a storage that changed while it was read, for one. */
  isShort: z.boolean(),
  /** When the archive was read back from its place and found whole; absent where it was not. */
  verifiedAt: z.iso.datetime().exactOptional(),
  /** When a prune began to remove the archive: where it is missing, this is why. */
  removalBegunAt: z.iso.datetime().exactOptional(),
};

const metadataSummarySchema = z.object({
  kind: z.literal('metadata'),
  ...commonShape,
  mode: z.enum(['online', 'offline']),
  consistency: z.enum(['scan', 'snapshot']),
  rethinkdbVersion: z.string(),
  documents: amount,
  changes: amount,
  tables: z.array(z.object({ database: z.string(), name: z.string(), documents: count, changes: count })),
  certificates: count,
  /** The earliest end of a certificate in the archive; absent where there is none. */
  oldestCertificateExpiry: z.iso.datetime().exactOptional(),
});

const imageSummarySchema = z.object({
  kind: z.literal('images'),
  ...commonShape,
  files: amount,
  blobs: amount,
  /** Of the archive's manifest. */
  checksum: sha256.exactOptional(),
  /** The same of each archive that it was made `--since`, and is not whole without; absent where there is none. */
  since: z.array(sha256).exactOptional(),
});

export const summarySchema = z.discriminatedUnion('kind', [metadataSummarySchema, imageSummarySchema]);

export type Summary = z.infer<typeof summarySchema>;

/** What the job itself knows of the archive that it has written. */
export type ArchiveFacts =
  Omit<z.infer<typeof metadataSummarySchema>, StoredMember> | Omit<z.infer<typeof imageSummarySchema>, StoredMember>;

type StoredMember = 'summaryVersion' | 'name' | 'stored' | 'isEncrypted' | 'verifiedAt' | 'removalBegunAt';

const ending = '.json';

/** The path of the summary of the archive at `path`. */
export function summaryPathOf(path: string): string {
  return `${path}${ending}`;
}

/** The path of the archive whose summary has this path; undefined where it is not that of a summary. */
export function archivePathOf(path: string): string | undefined {
  const archivePath = path.endsWith(ending) ? path.slice(0, -ending.length) : '';
  return archivePath === '' || archivePath.endsWith('/') ? undefined : archivePath;
}
