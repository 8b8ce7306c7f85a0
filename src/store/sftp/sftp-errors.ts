/** What goes wrong between us and an SFTP server: the errors inside this directory, and the words that operators see. */
import { errorCode, errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { printable } from '../../base/printable.js';

/** No connection, or no longer one. The message is a reason in an operator's words. */
export class ConnectionFault extends Error {
  constructor(
    message: string,
    /** Whether another connection may succeed a little later. */
    readonly isTransient: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The handshake failed before the server showed a host key, or its key was refused. */
export class HandshakeFault extends ConnectionFault {
  /** `key`: what the server showed. */
  constructor(
    message: string,
    readonly key: Buffer | undefined,
    options?: ErrorOptions,
  ) {
    super(message, false, options);
  }
}

/** A request that the server answered with a status other than OK. */
export class StatusError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Of draft-ietf-secsh-filexfer-02, section 7; the last two of -13, section 9.1, which some servers send in version 3, too. */
export const Status = {
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  unsupported: 8,
  diskFull: 14,
  quotaExceeded: 15,
} as const;

export function isStatus(error: unknown, status: number): boolean {
  return error instanceof StatusError && error.status === status;
}

export function isTransient(error: unknown): boolean {
  return error instanceof ConnectionFault && error.isTransient;
}

/** For `catch`: undefined where there is no such file. */
export function undefinedIfMissing(error: unknown): undefined {
  if (!isStatus(error, Status.noSuchFile)) throw error;
}

/** What an operator was about to do, as the beginning of a message: `write the archive to`, and to what. */
export interface Attempt {
  readonly exitCode: typeof ExitCode.output | typeof ExitCode.usage;
  readonly doing: string;
  readonly name: string;
}

/** The error as one that an operator can act on; a JobError stays as it is. */
export function sftpError(error: unknown, { exitCode, doing, name }: Attempt): JobError {
  if (error instanceof JobError) return error;
  const reason = reasonOf(error, exitCode);
  return new JobError(exitCode, `cannot ${doing} ${name}: ${reason}`, { cause: error });
}

function reasonOf(error: unknown, exitCode: number): string {
  if (error instanceof StatusError) return statusText(error, exitCode);
  // Its message says all of it; ssh2's own, its cause, is for developers.
  return error instanceof ConnectionFault ? error.message : errorText(error);
}

function statusText({ status, message }: StatusError, exitCode: number): string {
  const isWriting = exitCode === ExitCode.output;
  const text = printable(message);
  switch (status) {
    case Status.noSuchFile:
      return isWriting ? 'no such directory' : 'no such file';
    case Status.permissionDenied:
      return 'permission denied';
    case Status.failure:
      if (!/^failure\.?$/i.test(text)) return text;
      return isWriting ? 'the server gives no reason: its disk may be full' : 'the server gives no reason';
    case Status.unsupported:
      return 'the server does not know this request';
    case Status.diskFull:
      return "the server's disk is full";
    case Status.quotaExceeded:
      return 'the disk quota on the server is used up';
    default:
      return text;
  }
}

const socketReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to its network',
  EAI_AGAIN: 'its name cannot be looked up now',
  ENOTFOUND: 'unknown host name',
};

/** Of an error of the socket; undefined for another. */
export function socketFault(error: unknown): ConnectionFault | undefined {
  const code = errorCode(error) ?? '';
  const reason = socketReasons[code];
  return reason === undefined ? undefined : new ConnectionFault(reason, code !== 'ENOTFOUND', { cause: error });
}
