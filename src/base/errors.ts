/**
 * The one error family. An adapter translates a foreign error into a JobError once, at its door, with the foreign
 * error as `cause`; main.ts turns it into one line on stderr and the exit code. Anything else reaching main is a bug.
 */
import { ExitCode } from './exit-codes.js';

export class JobError extends Error {
  override readonly name = 'JobError';

  /** `message` is one line for an operator: what failed, where, and what to do. It never holds a secret. */
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Faults in the call itself: reported together, one line each, exit code 2. */
export class UsageError extends JobError {
  constructor(readonly faults: readonly string[]) {
    super(ExitCode.usage, faults.join('\n'));
  }
}

/**
 * What failed first, and then what failed in the clean-up after it: `using` throws all of them as one SuppressedError.
 * Node before 24 has no such class, and TypeScript makes an Error of this name instead.
 */
export function failuresOf(thrown: unknown): unknown[] {
  const isSuppressed = thrown instanceof Error && thrown.name === 'SuppressedError' && 'suppressed' in thrown;
  if (!isSuppressed) return [thrown];
  return [...failuresOf(thrown.suppressed), ...('error' in thrown ? failuresOf(thrown.error) : [])];
}

/** The text of whatever was thrown, on one line, with the causes it adds something to. */
export function errorText(thrown: unknown): string {
  const texts: string[] = [];
  for (let error = thrown; error !== undefined && texts.length < 4;) {
    // Node's AggregateError (all addresses of a name refused) has an empty message and says it in its parts.
    const parts: unknown[] = error instanceof AggregateError ? error.errors : [];
    const text = ownText(error) || parts.map(ownText).join(', ');
    if (text !== '' && !texts.some((known) => known.includes(text))) texts.push(text);
    error = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
  }
  return texts.join(': ').replaceAll(/\s*\n\s*/g, ' ');
}

function ownText(thrown: unknown): string {
  // OpenSSL's message is for its own developers; its `reason` says the same in words.
  if (thrown instanceof Error && 'library' in thrown && 'reason' in thrown) return `TLS: ${String(thrown.reason)}`;
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) return String(thrown.message);
  return String(thrown);
}

/** The `code` of a Node system or TLS error (`ECONNREFUSED`, `CERT_HAS_EXPIRED`), looked for along the causes. */
export function errorCode(thrown: unknown): string | undefined {
  let error = thrown;
  for (let depth = 0; depth < 5 && typeof error === 'object' && error !== null; depth += 1) {
    if ('code' in error && typeof error.code === 'string') return error.code;
    error = 'cause' in error ? error.cause : undefined;
  }
  return undefined;
}
