/** Which blobs a manifest needs: those of Docker (schema 1 and 2, lists) and of OCI (images, indexes). */

/** As the registry itself limits what is pushed (distribution's maxManifestBodySize). */
export const maxManifestBytes = 4 * 1024 * 1024;

/**
 * The digests it names (`sha256:…`), each once; undefined where it is no manifest. What need not be stored is not among
 * them: foreign layers, which are fetched from elsewhere, and the subject of a referrer.
 */
export function parseReferences(body: Buffer): readonly string[] | undefined {
  const manifest = parseObject(body);
  if (manifest === undefined) return undefined;
  const { config, layers, manifests, fsLayers } = manifest;
  const lists = [layers, manifests, fsLayers].filter((list) => Array.isArray(list)) as unknown[][];
  if (lists.length === 0) return undefined;
  const digests = [config, ...lists.flat()].map(digestOf).filter((digest) => digest !== undefined);
  return [...new Set(digests)];
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
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
