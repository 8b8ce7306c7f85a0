/** Primary keys as RethinkDB sees them. */
import { isJsonObject } from './json-object.js';

/**
 * The same text for what RethinkDB takes for the same key: a TIME's zone does not count, nor line breaks in base64, and -0 is 0.
 */
export function keyIdentity(key: unknown): string {
  return JSON.stringify(key, (_name, value: unknown) => {
    if (!isJsonObject(value)) return value;
    if (value.$reql_type$ === 'TIME') return { epoch_time: value.epoch_time };
    return value.$reql_type$ === 'BINARY' ? { data: String(value.data).replaceAll(/\s/g, '') } : value;
  });
}
