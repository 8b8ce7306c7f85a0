/** A registry in the numbers its operators think in: repositories, tags, signed collections, the span of its events. */
import type { DocumentBatch } from '../archive/entries/document-batch.js';
import { parseByteText } from '../model/byte-text.js';
import { isNestedDeeper, maxDocumentDepth } from '../model/document-limits.js';

/** A number is absent where the archive has no such table. Dates are ISO 8601, UTC. */
export interface RegistryTotalsSummary {
  readonly repositories?: number;
  readonly tags?: number;
  readonly manifests?: number;
  /** Collections (GUNs) that Notary holds signatures of. */
  readonly signedCollections?: number;
  readonly scannedImages?: number;
  readonly events?: number;
  readonly firstEventAt?: string;
  readonly lastEventAt?: string;
}

export class RegistryTotals {
  readonly #guns = new Set<string>();
  #firstEventMs = Infinity;
  #lastEventMs = -Infinity;

  add(batch: DocumentBatch): void {
    if (batch.directory === 'tuf_files') {
      for (const { gun } of documentsOf(batch)) if (typeof gun === 'string') this.#guns.add(gun);
    }
    if (batch.directory !== 'events') return;
    for (const event of documentsOf(batch)) {
      const ms = timeOf(event.publishedAt) ?? timeOf(event.createdAt);
      if (ms === undefined) continue;
      this.#firstEventMs = Math.min(ms, this.#firstEventMs);
      this.#lastEventMs = Math.max(ms, this.#lastEventMs);
    }
  }

  /** `countOf` gives the number of documents of a table, or undefined where it is not there. */
  summary(countOf: (table: string) => number | undefined): RegistryTotalsSummary {
    const counts = {
      repositories: countOf('repositories'),
      tags: countOf('tags'),
      manifests: countOf('manifests'),
      signedCollections: countOf('tuf_files') === undefined ? undefined : this.#guns.size,
      scannedImages: countOf('scanned_images'),
      events: countOf('events'),
    };
    return {
      ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== undefined)),
      ...(Number.isFinite(this.#firstEventMs) && {
        firstEventAt: new Date(this.#firstEventMs).toISOString(),
        lastEventAt: new Date(this.#lastEventMs).toISOString(),
      }),
    };
  }
}

/** Bodies that are no objects, or nested beyond what a document may be, are passed over: `verify` tells of them. */
function documentsOf(batch: DocumentBatch): Readonly<Record<string, unknown>>[] {
  return batch.texts().flatMap((text) => {
    if (isNestedDeeper(text, maxDocumentDepth)) return [];
    try {
      const value = parseByteText(text) as Readonly<Record<string, unknown>> | null;
      return typeof value === 'object' && value !== null ? [value] : [];
    } catch {
      return [];
    }
  });
}

/** Milliseconds since 1970 of a TIME in encoding `reql` or `dtr`, within what a Date can hold. */
function timeOf(value: unknown): number | undefined {
  const isTime = typeof value === 'object' && value !== null && 'epoch_time' in value;
  const ms = isTime ? Number(value.epoch_time) * 1000 : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Math.abs(ms) <= 8.64e15 ? ms : undefined;
}
