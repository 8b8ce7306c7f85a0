/** What a message about a damaged archive says of how it came to be so. */
import type { Input } from './input.js';

/** `reason`, and after it what probably happened to the input, where something shows it. Ask when it has been read. */
export function withHint(reason: string, { hint }: Pick<Input, 'hint'>): string {
  const happened = hint?.();
  return happened === undefined ? reason : `${reason}; ${happened}`;
}
