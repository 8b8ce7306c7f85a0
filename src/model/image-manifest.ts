/**
 * The manifest of an image archive. IMAGES-FORMAT.md in src/archive is the specification; this
 * is the parser that holds outside manifests to it.
 */
import { z } from 'zod';

/** The newest manifest format this version writes and reads. */
export const imageFormatVersion = 1;

/** How many of a list the manifest names; it counts the others. */
export const maxListed = 100;

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256 in hex');
const amount = z.object({ count, bytes: count });

/** A list without end in bounded space: how many there are, and the first of them. */
const listed = z.object({
  count,
  first: z.array(z.object({ path: z.string(), why: z.string() })).max(maxListed),
});

export const imageManifestSchema = z.object({
  kind: z.literal('images'),
  formatVersion: z.literal(imageFormatVersion),
  tool: z.object({ name: z.string(), version: z.string() }),
  replicaId: z.string(),
  /** Absent where it was not detected. */
  dtrVersion: z.string().exactOptional(),
  /** What the registry's storage is, for people. */
  storage: z.string(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** All entries before the manifest; `sha256` is over a line for each. */
  entries: z.object({ count, sha256 }),
  directories: count,
  links: count,
  /** All of them, blobs among them. */
  files: amount,
  /** By their SHA-256 and by id. */
  blobs: amount,
  /** Of them those by id; absent where there is none. */
  blobsById: amount.exactOptional(),
  /** Blobs whose content is not what their names say. */
  corrupt: listed,
  /** Files that changed or vanished while they were read. */
  changed: listed,
  /** What is in the storage and not in the archive: sockets, devices and the like. */
  leftOut: listed,
  /** What the repositories name, compared with the blobs that are here and in the archives of `since`. */
  references: z
    .object({
      /** Blobs without which an image is not whole, links that name none, and what is elsewhere. */
      missing: listed,
      /** Blobs that are not there and that no manifest needs: garbage collection leaves links to them. */
      stale: count,
      /** Digests that could not be looked for, as blobs are stored under other names. */
      uncompared: count,
    })
    .exactOptional(),
  /** The earlier image archives that hold the blobs left out here: the checksums of their manifests. */
  since: z.array(z.object({ checksum: sha256, startedAt: z.iso.datetime() })),
  /** The blobs that those hold. */
  heldBefore: amount,
});

export type ImageManifest = z.infer<typeof imageManifestSchema>;
export type Listed = ImageManifest['corrupt'];
export type References = NonNullable<ImageManifest['references']>;
