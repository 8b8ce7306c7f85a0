/** How fast a backup may read: `5000/s` documents, or `10MB/s` of JSON text. */

export interface RateLimit {
  readonly unit: 'documents' | 'bytes';
  readonly perSecond: number;
}

const byteUnits: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9 };

/** Undefined for a text that is no rate. Units are decimal, in upper or lower case: `500kB/s`. */
export function parseRateLimit(text: string): RateLimit | undefined {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)\s*([kmg]?b)?\/s$/i.exec(text) ?? [];
  if (amount === undefined) return undefined;
  const perSecond = Number(amount) * (unit === undefined ? 1 : (byteUnits[unit.toUpperCase()] ?? Number.NaN));
  return perSecond > 0 ? { unit: unit === undefined ? 'documents' : 'bytes', perSecond } : undefined;
}
