/** Entries' bodies: JSON texts of objects. */
import { failed, success, type Result } from '../base/result.js';
import { parseByteText, type ByteText } from './byte-text.js';

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object that is all of `text`. The reason of a failure quotes nothing of it, as it may be a secret. */
export function parseJsonObject(text: string): Result<JsonObject> {
  return objectOf(() => JSON.parse(text));
}

/** The same for a document or change of an archive: names and strings in it are ByteTexts. */
export function parseDocument(text: ByteText): Result<JsonObject> {
  return objectOf(() => parseByteText(text));
}

function objectOf(parse: () => unknown): Result<JsonObject> {
  try {
    const value = parse();
    return isJsonObject(value) ? success(value) : failed('is JSON, but not an object');
  } catch {
    return failed('is not JSON');
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
