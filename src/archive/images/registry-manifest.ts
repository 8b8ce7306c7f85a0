/** The blobs that a manifest needs: Docker's (schema 1 and 2, lists) and OCI's (images, indexes). */
import { byteTextOf } from '../../model/byte-text.js';
import { isNestedDeeper } from '../../model/document-limits.js';
import { limits } from '../layout.js';

/** The registry's own limit (distribution's maxManifestBodySize). */
export const maxManifestBytes = 4 * 1024 * 1024;

/** The digests (`sha256:…`) that a manifest names, each once in either list. */
export interface ManifestReferences {
  /** Configuration and layers, which need nothing themselves, whatever their content is. */
  readonly blobs: readonly string[];
  /** The manifests of a list. */
  readonly manifests: readonly string[];
}

/**
 * What `body` names if it is a manifest; undefined where it cannot be one. A layer may hold the same text: only what names
 * the blob tells. Leaves out what need not be stored: foreign layers, and the subject of a referrer.
 */
export function parseReferences(body: Buffer): ManifestReferences | undefined {
  const manifest = parseObject(body);
  if (manifest === undefined) return undefined;
  const { config, layers, manifests, fsLayers } = manifest;
  if (![layers, manifests, fsLayers].some((list) => Array.isArray(list))) return undefined;
  return { blobs: digestsOf([config], layers, fsLayers), manifests: digestsOf(manifests) };
}

function digestsOf(...lists: readonly unknown[]): string[] {
  const digests = lists.flatMap((list) => (Array.isArray(list) ? (list as unknown[]).map(digestOf) : []));
  return [...new Set(digests.filter((digest) => digest !== undefined))];
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    if (isNestedDeeper(byteTextOf(body), limits.manifestDepth)) return undefined;
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** Of a descriptor. */
function digestOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { digest, blobSum, mediaType, urls } = value as Readonly<Record<string, unknown>>;
  const isForeign = typeof mediaType === 'string' && /\.(?:foreign|nondistributable)\./.test(mediaType);
  if (isForeign || (Array.isArray(urls) && urls.length > 0)) return undefined;
  const named = digest ?? blobSum;
  return typeof named === 'string' ? named : undefined;
}
