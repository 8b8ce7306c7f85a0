/** A change of a document, as a changefeed gives it, and primary keys as RethinkDB sees them. */
import { failed, success, type Result } from '../base/result.js';
import { isJsonObject, type JsonObject } from './json-object.js';

/** A pause in the changes that is safe to cut in: seven times the largest delay that was seen (FORMAT.md, Consistency). */
export const minPauseMs = 100;

/** `uninitial` revokes a row that the feed gave before it was ready: the document is deleted, as after `remove`. */
export type Change =
  | { readonly type: 'add'; readonly oldValue?: undefined; readonly newValue: JsonObject }
  | { readonly type: 'change'; readonly oldValue: JsonObject; readonly newValue: JsonObject }
  | { readonly type: 'remove' | 'uninitial'; readonly oldValue: JsonObject; readonly newValue?: undefined };

/** The change in an element of a changefeed. A missing value is absent or null. */
export function parseChange({ type, old_val: oldValue, new_val: newValue }: JsonObject): Result<Change> {
  const hasOld = isJsonObject(oldValue);
  const hasNew = isJsonObject(newValue);
  const isNone = (value: unknown): boolean => value === undefined || value === null;
  if (type === 'add') {
    if (hasNew && isNone(oldValue)) return success({ type, newValue });
    return failed('is an add, but does not have new_val alone');
  }
  if (type === 'remove' || type === 'uninitial') {
    if (hasOld && isNone(newValue)) return success({ type, oldValue });
    return failed(`is of type ${type}, but does not have old_val alone`);
  }
  if (type !== 'change') return failed('is no change of a known type');
  if (hasOld && hasNew) return success({ type, oldValue, newValue });
  return failed('is a change, but does not have both old_val and new_val');
}

/**
 * The same text for what is the same key to RethinkDB: a TIME's zone does not count, nor line breaks in base64, and -0 is 0.
 */
export function keyIdentity(key: unknown): string {
  return JSON.stringify(key, (_name, value: unknown) => {
    if (!isJsonObject(value)) return value;
    if (value.$reql_type$ === 'TIME') return { epoch_time: value.epoch_time };
    return value.$reql_type$ === 'BINARY' ? { data: String(value.data).replaceAll(/\s/g, '') } : value;
  });
}
