/**
 * The shapes of `plan.json` and `manifest.json`: what an archive sets out to hold, and what came of it. FORMAT.md in
 * src/archive is the specification; these parsers hold outside files to it.
 */
import { z } from 'zod';
import { tableDefinitionSchema } from './table.js';

/** The newest format that this version writes and reads. */
export const formatVersion = 1;

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256 in hex');
const toolSchema = z.object({ name: z.string(), version: z.string() });
const documentEncodingSchema = z.enum(['reql', 'dtr']);

const plannedTableSchema = z.object({
  /** The table's directory in the archive: its name, or `<database>.<name>` where an earlier table has that. */
  directory: z.string().min(1),
  ...tableDefinitionSchema.shape,
});

export const planSchema = z.object({
  formatVersion: z.literal(formatVersion),
  tool: toolSchema,
  dtrVersion: z.string(),
  /** Absent in direct mode without `--existing-replica-id`. */
  replicaId: z.string().exactOptional(),
  rethinkdbVersion: z.string(),
  mode: z.enum(['online', 'offline']),
  consistency: z.enum(['scan', 'snapshot']),
  documentEncoding: documentEncodingSchema,
  startedAt: z.iso.datetime(),
  leftOut: z.array(z.object({ what: z.string(), why: z.string() })),
  /** In the order of the archive. */
  tables: z.array(plannedTableSchema),
});

/** Count, bytes and SHA-256 of a sequence of entries: none is missing, added or altered. */
const checksumSchema = z.object({
  /** How many entries. */
  count,
  /** Bytes of all bodies, without headers and padding. */
  bytes: count,
  /** Bytes of the largest body. */
  largestBytes: count,
  /** SHA-256 over the bodies in order, each followed by a newline. */
  sha256,
  /** Of changes, where there are any: SHA-256 over the number of entries that precede each. */
  orderSha256: sha256.exactOptional(),
});

const tableResultSchema = z.object({
  /** As in the plan. */
  directory: z.string().min(1),
  documents: checksumSchema,
  changes: checksumSchema,
  /** Consistency `snapshot`: when all rows of the table had been read, and when its journal ended. */
  readyAt: z.iso.datetime().exactOptional(),
  cutAt: z.iso.datetime().exactOptional(),
  isCutInChanges: z.literal(true).exactOptional(),
});

const certificateSchema = z.object({ path: z.string().min(1), bytes: count, sha256 });

/** One run of `convert`. */
const conversionSchema = z.object({
  tool: toolSchema,
  convertedAt: z.iso.datetime(),
  /** How many changes became part of the rows. */
  foldedChanges: count,
  /** `dtr2.events`. */
  droppedTables: z.array(z.string()),
  /** Absent where it stayed as it was. */
  documentEncodingBefore: documentEncodingSchema.exactOptional(),
});

export const manifestSchema = z.object({
  formatVersion: z.literal(formatVersion),
  /** The `checksum` of the plan at the beginning of the archive. */
  planChecksum: sha256,
  finishedAt: z.iso.datetime(),
  /** Those of the plan, in its order. */
  tables: z.array(tableResultSchema),
  certificates: z.array(certificateSchema),
  /** Absent where the archive is as the backup wrote it. */
  conversions: z.array(conversionSchema).exactOptional(),
});

export type Plan = z.infer<typeof planSchema>;
export type PlannedTable = Plan['tables'][number];
export type LeftOut = Plan['leftOut'][number];
export type DocumentEncoding = Plan['documentEncoding'];
export type Consistency = Plan['consistency'];
export type Tool = Plan['tool'];

export type Manifest = z.infer<typeof manifestSchema>;
export type TableResult = Manifest['tables'][number];
/** When a table's feed was ready and cut; absent in a scan. */
export type TableCut = Pick<TableResult, 'readyAt' | 'cutAt' | 'isCutInChanges'>;
export type EntriesChecksum = z.infer<typeof checksumSchema>;
export type Certificate = z.infer<typeof certificateSchema>;
export type Conversion = z.infer<typeof conversionSchema>;
