/**
 * The manifest as bytes. It proves itself, too: its `checksum` member is the SHA-256 of its own bytes with the digest
 * replaced by 64 zeros, so no bit of it can change unseen.
 */
import { createHash } from 'node:crypto';
import { errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { formatVersion, manifestSchema, type Manifest } from '../model/manifest.js';

const blankChecksum = '0'.repeat(64);
/** The last member, so that a reader finds it at the end of the text without parsing. */
const checksumEnd = /"checksum": "([0-9a-f]{64})"\n\}\n$/;

/** The manifest's bytes: JSON, indented by two, ending in a newline. */
export function encodeManifest(manifest: Manifest): Buffer {
  const blank = Buffer.from(`${JSON.stringify({ ...manifest, checksum: blankChecksum }, undefined, 2)}\n`);
  return Buffer.from(withChecksum(blank.toString('latin1'), sha256(blank)), 'latin1');
}

/** Reads a manifest back. Throws a JobError with exit code 9 naming what is wrong with it. */
export function decodeManifest(bytes: Buffer): Manifest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw invalid(`is not JSON: ${errorText(error)}`);
  }
  // Asked first: a newer format may differ in everything else, its checksum included.
  const version = typeof parsed === 'object' && parsed !== null && 'formatVersion' in parsed && parsed.formatVersion;
  if (typeof version === 'number' && version > formatVersion) {
    throw invalid(`has format version ${version}; this program reads up to ${formatVersion}: use a newer one`);
  }
  // latin1 keeps every byte, also those that are no UTF-8.
  const text = bytes.toString('latin1');
  const checksum = checksumEnd.exec(text)?.[1];
  if (checksum === undefined) throw invalid('does not end in its checksum');
  if (checksum !== sha256(Buffer.from(withChecksum(text, blankChecksum), 'latin1'))) {
    throw invalid('does not match its own checksum: it was altered');
  }
  const result = manifestSchema.safeParse(parsed);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(`is not of the known shape: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

function withChecksum(text: string, checksum: string): string {
  return text.replace(checksumEnd, `"checksum": "${checksum}"\n}\n`);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function invalid(what: string): JobError {
  return new JobError(ExitCode.archiveInvalid, `manifest.json ${what}`);
}
