/** Entries' bodies: JSON texts of objects. */
import { parseByteText, type ByteText } from './byte-text.js';

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object that is all of `text`, or what is wrong with it. The words quote nothing of it, as it may be a secret. */
export function parseJsonObject(text: string): JsonObject | string {
  return objectOf(() => JSON.parse(text));
}

/** The same for a document or change of an archive: names and strings in it are ByteTexts. */
export function parseDocument(text: ByteText): JsonObject | string {
  return objectOf(() => parseByteText(text));
}

function objectOf(parse: () => unknown): JsonObject | string {
  try {
    const value = parse();
    return isJsonObject(value) ? value : 'is JSON, but not an object';
  } catch {
    return 'is not JSON';
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
