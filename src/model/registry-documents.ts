/**
 * What the documents of DTR's tables `blobs`, `manifests` and `tags` say of the registry's storage. The members are those
 * that public support tools of MSR 2.9 read: `blobs` {id, sha256sum}, `manifests` {repository, digest, layers, configDigest},
 * `tags` {repository, name, digest}. None of the members is a TIME or BINARY, so both document encodings read the same.
 */
import { failed, success, type Result } from '../base/result.js';
import { isJsonObject, type JsonObject } from './json-object.js';

/** Digests are 64 hex digits of SHA-256, or as they are written for another algorithm. */
export interface BlobDocument {
  readonly kind: 'blob';
  /** The blob's file is named by it. */
  readonly id: string;
  readonly digest: string;
}

export interface ManifestDocument {
  readonly kind: 'manifest';
  readonly repository: string;
  readonly digest: string;
  /** Digests of the layers and the configuration that must be stored: foreign layers are not. */
  readonly needs: readonly string[];
}

export interface TagDocument {
  readonly kind: 'tag';
  readonly repository: string;
  readonly name: string;
  /** Of its manifest. */
  readonly digest: string;
}

export type RegistryDocument = BlobDocument | ManifestDocument | TagDocument;

export type ParseDocument = (document: JsonObject) => Result<RegistryDocument>;

/** The tables by name, each with the parser of its documents. Strings may be ByteTexts. */
export const registryTables: ReadonlyMap<string, ParseDocument> = new Map<string, ParseDocument>([
  ['blobs', parseBlob],
  ['manifests', parseManifest],
  ['tags', parseTag],
]);

function parseBlob({ id, sha256sum }: JsonObject): Result<BlobDocument> {
  if (!isName(id)) return failed('has no id');
  const digest = digestOf(sha256sum);
  return digest === undefined ? failed('has no sha256sum') : success({ kind: 'blob', id: textOf(id), digest });
}

function parseManifest(document: JsonObject): Result<ManifestDocument> {
  const { repository, digest: named, layers = [], configDigest = '' } = document;
  const digest = digestOf(named);
  if (digest === undefined || !isName(repository)) return failed('has no digest and repository');
  // A list of manifests has no layers.
  if (layers !== null && !Array.isArray(layers)) return failed('has layers that are not an array');
  const needs = new Set<string>();
  for (const needed of [configDigest, ...((layers ?? []) as unknown[]).map(layerDigest)]) {
    if (needed === '' || needed === null) continue;
    const read = digestOf(needed);
    if (read === undefined) return failed('has a layer or a configuration without a digest');
    needs.add(read);
  }
  return success({ kind: 'manifest', repository: textOf(repository), digest, needs: [...needs] });
}

function parseTag({ repository, name, digest: named }: JsonObject): Result<TagDocument> {
  const digest = digestOf(named);
  if (digest === undefined || !isName(repository) || !isName(name)) return failed('has no repository, name and digest');
  return success({ kind: 'tag', repository: textOf(repository), name: textOf(name), digest });
}

/** Empty for a layer that need not be stored: one without content, and a foreign one, which others hold. */
function layerDigest(layer: unknown): unknown {
  if (!isJsonObject(layer)) return layer;
  const { digest, mediaType, urls } = layer;
  const isForeign = typeof mediaType === 'string' && /\.(?:foreign|nondistributable)\./.test(mediaType);
  return isForeign || (Array.isArray(urls) && urls.length > 0) ? '' : digest;
}

/** Names and tags of images have at most 255 and 128 characters; what is longer is of another kind. */
const maxCharacters = 1000;

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxCharacters;
}

/** Undefined for what is no digest. */
function digestOf(value: unknown): string | undefined {
  if (!isName(value)) return undefined;
  const [, algorithm = 'sha256', hex] = /^(?:([a-z0-9+._-]+):)?([0-9a-f]{32,})$/.exec(value) ?? [];
  if (hex === undefined) return undefined;
  if (algorithm !== 'sha256') return value;
  return hex.length === 64 ? hex : undefined;
}

/** A ByteText's characters. */
function textOf(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text, 'latin1').toString('utf8');
}
