/** Entries' bodies: JSON texts of objects. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The object that is all of `text`, or what is wrong with it, in words that quote nothing of it: it may be a secret. */
export function parseJsonObject(text: string): JsonObject | string {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : 'is JSON, but not an object';
  } catch {
    return 'is not JSON';
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
