/**
 * The errors that an operator sees. An adapter translates a foreign error into a JobError once, with the foreign error as
 * `cause`; the program turns it into one line on stderr and the exit code. Any other error is a bug.
 */
import { ExitCode } from './exit-codes.js';

export class JobError extends Error {
  override readonly name = 'JobError';

  /** `message` is one line for an operator: what failed, where, and what to do. It never holds a secret. */
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Faults of the command line, the settings or the machine: reported together, one line each, exit code 2. */
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

/** The text of anything thrown, on one line, with what its causes add. */
export function errorText(thrown: unknown): string {
  const texts: string[] = [];
  for (const error of withCauses(thrown)) {
    // The AggregateError of a name whose addresses all refuse has no message of its own.
    const parts: unknown[] = error instanceof AggregateError ? error.errors : [];
    const text = ownText(error) || parts.map(ownText).join(', ');
    if (text !== '' && !texts.some((known) => known.includes(text))) texts.push(text);
    if (texts.length === 4) break;
  }
  return texts.join(': ').replaceAll(/\s*\n\s*/g, ' ');
}

/** The `code` of a Node system or TLS error (`ECONNREFUSED`, `CERT_HAS_EXPIRED`), also where it is a cause. */
export function errorCode(thrown: unknown): string | undefined {
  for (const error of withCauses(thrown)) {
    if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
      return error.code;
    }
  }
  return undefined;
}

/** At most ten: causes may form a cycle. */
function* withCauses(thrown: unknown): Generator<unknown, void, undefined> {
  let error = thrown;
  for (let depth = 0; depth < 10 && error !== undefined; depth += 1) {
    yield error;
    error = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
  }
}

function ownText(thrown: unknown): string {
  // OpenSSL's message is for its developers; its `reason` says the same in words.
  if (thrown instanceof Error && 'library' in thrown && 'reason' in thrown) return `TLS: ${String(thrown.reason)}`;
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) return String(thrown.message);
  return String(thrown);
}
