/** Splits documents into batches, one for each query. */

interface BatchLimits {
  readonly maxCount: number;
  readonly maxBytes: number;
}

/** In order; a body beyond the limit of bytes is a batch of its own. */
export function* splitBodies(
  bodies: readonly Buffer[],
  { maxCount, maxBytes }: BatchLimits,
): Generator<Buffer[], void, undefined> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for (const body of bodies) {
    if (batch.length > 0 && (batch.length === maxCount || bytes + body.length > maxBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(body);
    bytes += body.length;
  }
  if (batch.length > 0) yield batch;
}
