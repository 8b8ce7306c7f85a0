/**
 * The manifest's shape: what an archive says of itself. FORMAT.md in src/archive is the specification; this is the
 * parser that holds outside manifests to it.
 */
import { z } from 'zod';
import { tableDefinitionSchema } from './table.js';

/** The newest manifest format this version writes and reads. */
export const formatVersion = 1;

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256 in hex');

/** Count, bytes and SHA-256 of a sequence of entries: the proof that none is missing, added or altered. */
const checksumSchema = z.object({
  /** How many entries. */
  count,
  /** Bytes of all bodies, without headers and padding. */
  bytes: count,
  /** Bytes of the largest body. */
  largestBytes: count,
  /** SHA-256 over the bodies in order, each followed by a newline. */
  sha256,
  /** Of changes, where there are any: SHA-256 over how many entries stand before each, proof of their places. */
  orderSha256: sha256.exactOptional(),
});

const tableSchema = tableDefinitionSchema.extend({
  documents: checksumSchema,
  changes: checksumSchema,
  /** Consistency `snapshot`: when the table's rows had all been read, and when its journal ended. */
  readyAt: z.iso.datetime().exactOptional(),
  cutAt: z.iso.datetime().exactOptional(),
  isCutInChanges: z.literal(true).exactOptional(),
});

const toolSchema = z.object({ name: z.string(), version: z.string() });
const documentEncodingSchema = z.enum(['reql', 'dtr']);
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
  tool: toolSchema,
  dtrVersion: z.string(),
  /** Absent in direct mode without `--existing-replica-id`. */
  replicaId: z.string().exactOptional(),
  rethinkdbVersion: z.string(),
  mode: z.enum(['online', 'offline']),
  consistency: z.enum(['scan', 'snapshot']),
  documentEncoding: documentEncodingSchema,
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  leftOut: z.array(z.object({ what: z.string(), why: z.string() })),
  certificates: z.array(certificateSchema),
  tables: z.array(tableSchema),
  /** Absent where the archive is as the backup wrote it. */
  conversions: z.array(conversionSchema).exactOptional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestTable = Manifest['tables'][number];
export type EntriesChecksum = z.infer<typeof checksumSchema>;
export type Certificate = z.infer<typeof certificateSchema>;
export type Conversion = z.infer<typeof conversionSchema>;
export type LeftOut = Manifest['leftOut'][number];
export type DocumentEncoding = Manifest['documentEncoding'];
export type Consistency = Manifest['consistency'];
