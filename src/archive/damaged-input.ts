/** An input that is cut short or altered, and what the message says about it. */
import type { Input } from '../model/archive-stream.js';

/** What wraps an archive is cut short or altered. */
export class DamagedInputError extends Error {
  override readonly name = 'DamagedInputError';
}

/** `reason`, and after it what probably happened to the input, where something shows it. Ask when it has been read. */
export function withHint(reason: string, { hint }: Pick<Input, 'hint'>): string {
  const happened = hint?.();
  return happened === undefined ? reason : `${reason}; ${happened}`;
}
