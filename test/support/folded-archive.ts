/** The state of each table that an archive stands for: rows, then changes, in the order of its entries. */
import { checkArchive } from './archive-check.js';
import type { State } from './history.js';

interface Element {
  readonly type: string;
  readonly old_val?: { readonly id: string } | null;
  readonly new_val?: { readonly id: string } | null;
}

export interface FoldedArchive {
  readonly states: ReadonlyMap<string, State>;
  readonly changeCount: number;
}

/** Throws when the archive is not whole, or when a change does not fit what was there before it. */
export async function foldArchive(tar: Buffer): Promise<FoldedArchive> {
  const { files } = await checkArchive(tar);
  const states = new Map<string, Map<string, string>>();
  let changeCount = 0;
  for (const [path, body] of files) {
    const [, kind, table, number] = path.split('/');
    if (table === undefined || number === undefined || number === '' || kind === 'certs') continue;
    const state = states.get(table) ?? new Map<string, string>();
    states.set(table, state);
    const value = JSON.parse(body.toString('utf8')) as Element & { id: string };
    if (kind === 'rethink') {
      if (state.has(value.id)) throw new Error(`${path}: the document is there already`);
      state.set(value.id, canonicalText(value));
    } else {
      changeCount += 1;
      apply(state, value, path);
    }
  }
  return { states, changeCount };
}

function apply(state: Map<string, string>, { type, old_val: old, new_val: now }: Element, path: string): void {
  const key = (old ?? now)?.id ?? '';
  const before = state.get(key);
  if (before !== (old ? canonicalText(old) : undefined)) throw new Error(`${path}: ${type} of what was not there`);
  if (now) state.set(key, canonicalText(now));
  else state.delete(key);
}

/** The text as the writers spell it: members in the order id, number, padding. */
export function canonicalText(document: object): string {
  return JSON.stringify(Object.fromEntries(Object.entries(document).sort(([a], [b]) => (a < b ? -1 : 1))));
}
