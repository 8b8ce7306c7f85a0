/**
 * `plan.json` and `manifest.json` as bytes. Each is checked by itself: its last member, `checksum`, is the SHA-256 of its
 * own bytes with the digest replaced by 64 zeros.
 */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { imageFormatVersion, imageManifestSchema, type ImageManifest } from '../model/image-manifest.js';
import { byteTextOf } from '../model/byte-text.js';
import { isNestedDeeper } from '../model/document-limits.js';
import { formatVersion, manifestSchema, planSchema, type Manifest, type Plan } from '../model/manifest.js';
import { limits } from './layout.js';

const blankChecksum = '0'.repeat(64);
/** The last member, so that a reader finds it at the end of the text without parsing. */
const checksumEnd = /"checksum": "([0-9a-f]{64})"\n\}\n$/;

/** The file's bytes: JSON, indented by two, ending in a newline. */
export function encodeManifest(content: Plan | Manifest | ImageManifest): Buffer {
  const blank = Buffer.from(`${JSON.stringify({ ...content, checksum: blankChecksum }, undefined, 2)}\n`);
  return Buffer.from(withChecksum(blank.toString('latin1'), sha256(blank)), 'latin1');
}

/** Reads a plan back. Throws a JobError with exit code 9 naming what is wrong with it. */
export function decodePlan(bytes: Buffer): Plan {
  return decode(bytes, { name: 'plan.json', newestVersion: formatVersion, schema: planSchema });
}

/** Reads a manifest back; throws as `decodePlan` does. */
export function decodeManifest(bytes: Buffer): Manifest {
  return decode(bytes, { name: 'manifest.json', newestVersion: formatVersion, schema: manifestSchema });
}

/** Reads the manifest of an image archive back; throws as `decodePlan` does. */
export function decodeImageManifest(bytes: Buffer): ImageManifest {
  return decode(bytes, { name: 'the manifest', newestVersion: imageFormatVersion, schema: imageManifestSchema });
}

/** The checksum at the end of a plan or manifest; good for one that has been encoded or decoded here. */
export function checksumOf(bytes: Buffer): string | undefined {
  return checksumEnd.exec(bytes.toString('latin1'))?.[1];
}

interface Kind<T> {
  /** For messages. */
  readonly name: string;
  readonly newestVersion: number;
  readonly schema: z.ZodType<T>;
}

function decode<T>(bytes: Buffer, { name, newestVersion, schema }: Kind<T>): T {
  const invalid = (what: string): JobError => new JobError(ExitCode.archiveInvalid, `${name} ${what}`);
  // Each character is a byte, also of those that are no UTF-8.
  const text = byteTextOf(bytes);
  if (isNestedDeeper(text, limits.manifestDepth)) throw invalid(`is nested deeper than ${limits.manifestDepth}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw invalid(`is not JSON: ${errorText(error)}`);
  }
  // Checked first: a newer format may differ in everything else, its checksum included.
  const version = typeof parsed === 'object' && parsed !== null && 'formatVersion' in parsed && parsed.formatVersion;
  if (typeof version === 'number' && version > newestVersion) {
    throw invalid(`has format version ${version}; this program reads up to ${newestVersion}: use a newer one`);
  }
  const checksum = checksumEnd.exec(text)?.[1];
  if (checksum === undefined) throw invalid('does not end in its checksum');
  if (checksum !== sha256(Buffer.from(withChecksum(text, blankChecksum), 'latin1'))) {
    throw invalid('does not match its own checksum: it was altered');
  }
  const result = schema.safeParse(parsed);
  if (result.success) return result.data;
  const [issue] = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw invalid(`is not of the known shape: ${issue}`);
}

function withChecksum(text: string, checksum: string): string {
  return text.replace(checksumEnd, `"checksum": "${checksum}"\n}\n`);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
