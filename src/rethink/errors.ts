/** What errors of RethinkDB mean: which may pass, and what a message may say of them. */
import { errorCode, errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { errorTypes, ReqlError } from './wire/answer.js';
import { ConnectionLostError } from './wire/connection.js';

/** A query that the server answered with an error. */
export class QueryError extends JobError {
  /** Whether the user may not do this. */
  readonly isDenied: boolean;

  constructor(
    what: string,
    override readonly cause: ReqlError,
  ) {
    const text = errorText(cause);
    const isDenied = cause.type === errorTypes.permission;
    const reason = isDenied ? `${text.replace(/\.$/, '')}: give another with --rethinkdb-user` : text;
    super(ExitCode.rethinkdb, `cannot ${what}: ${reason}`, { cause });
    this.isDenied = isDenied;
  }
}

const transientCodes: readonly string[] = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  // A name on an overlay network that was joined a moment ago.
  'ENOTFOUND',
  'EAI_AGAIN',
];

/**
 * What waiting cannot help, though its type is OP_FAILED. RethinkDB has no code for it, only text. Not matching it only
 * costs the wait: the error is thrown at its end.
 */
const isPermanent = /does not exist|already exists|is ambiguous|was not found|write hook/;

/**
 * Whether the same query may succeed a little later, on a new connection: the old one was lost, or the table is not
 * available now, for want of a primary replica, a quorum or contact (every `query_state_t` of RethinkDB 2.4 becomes
 * OP_FAILED or OP_INDETERMINATE).
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof ConnectionLostError) return true;
  if (!(error instanceof ReqlError)) return transientCodes.includes(errorCode(error) ?? '');
  if (error.type === errorTypes.opIndeterminate) return true;
  return error.type === errorTypes.opFailed && !isPermanent.test(error.message);
}

/** Whether the server (an older one, the embedded one) does not know the query, or what the query is made of. */
export function isUnknown({ type }: ReqlError): boolean {
  return type === undefined || type === errorTypes.internal || type === errorTypes.logic;
}

/** For `catch`: undefined where the server does not know the query. */
export function undefinedIfUnknown(error: unknown): undefined {
  if (!(error instanceof QueryError) || !isUnknown(error.cause)) throw error;
}

/** Whether the server does not know an option of a command. RethinkDB says so since 1.x (op.cc), in text alone. */
export function isUnknownOption(error: unknown): boolean {
  return error instanceof QueryError && error.cause.message.startsWith('Unrecognized optional argument `');
}

/**
 * Why RethinkDB refused a write, without what it quotes of the document, which may be a private key: texts (`Primary key
 * too long …: "…"`), objects (`Duplicate primary key …: {…}`) and JSON it cannot read.
 */
export function refusalText(refused: unknown): string {
  const text = errorText(refused);
  return text.startsWith('Failed to parse') ? 'it is not JSON' : text.replace(/[:\s]*["{[][^]*$/, '');
}
