/** What goes wrong with a bucket, in the words of an operator. */
import { S3ServiceException } from '@aws-sdk/client-s3';
import { errorCode, errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { printable } from '../../base/printable.js';
import type { Bucket } from './s3-client.js';

const moved = 'the bucket is in another region: set AWS_REGION to it';
const expired = 'the session token has expired: get new credentials';
const full = 'the server has no space left, or the quota is used up';
const overloaded = 'the server is overloaded, also after several attempts';
const tooSlow = 'it has not answered in time, also after several attempts';

/**
 * By error code: those of Amazon S3 ("Error responses" in its API reference), of MinIO (XMinio…) and of Ceph. For
 * HEAD, which has no body, the SDK says `NotFound`, or nothing.
 */
const refusals: Readonly<Record<string, string>> = {
  AccessDenied: 'access denied: the access key has no right to do this',
  AuthorizationHeaderMalformed: moved,
  EntityTooLarge: 'it is larger than the server allows',
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  IncorrectEndpoint: moved,
  InvalidAccessKeyId: 'the server does not know the access key: check AWS_ACCESS_KEY_ID',
  InvalidBucketName: 'the server does not accept the name of the bucket',
  InvalidObjectState: 'it is in an archive storage class: restore it in S3 first',
  InvalidToken: 'the session token is not valid: check AWS_SESSION_TOKEN',
  KeyTooLongError: 'the name is too long',
  NoSuchBucket: 'there is no such bucket',
  NoSuchKey: 'no such object',
  NoSuchUpload: 'the server no longer knows the upload: another process has ended it',
  NotFound: 'no such object',
  PermanentRedirect: moved,
  QuotaExceeded: full,
  RequestTimeout: tooSlow,
  RequestTimeTooSkewed: 'the clock of this machine differs too much from that of the server: set it',
  ServiceUnavailable: overloaded,
  SignatureDoesNotMatch: 'the secret key does not fit the access key: check AWS_SECRET_ACCESS_KEY',
  SlowDown: overloaded,
  XMinioStorageFull: full,
};

const noTls = 'the TLS handshake fails: where the server has no TLS, its URL begins with http://';
const unknownAuthority = 'its certificate is of an unknown authority: give that of the authority with --s3-ca';

/** By the codes of Node and OpenSSL. */
const connectionFaults: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  EAI_AGAIN: 'the name of the host cannot be looked up',
  ECONNREFUSED: 'the connection is refused',
  ECONNRESET: 'the connection is lost, also after several attempts',
  ENOTFOUND: 'there is no host of this name',
  EPIPE: 'the connection is lost, also after several attempts',
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  ETIMEDOUT: tooSlow,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
};

/** An answer that no S3 server gives. Its text is the reason. */
export class NoS3Answer extends Error {}

/** S3's error code; `Unknown` and the like for an answer without one; undefined for what is no answer of a server. */
export function refusalCode(error: unknown): string | undefined {
  return error instanceof S3ServiceException ? error.name : undefined;
}

/** The HTTP status of the answer; undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata as { readonly httpStatusCode?: number } | undefined;
  return metadata?.httpStatusCode;
}

/** Whether the server refuses `If-None-Match` rather than the request; without it, anything else is refused again. */
export function isConditionRefused(error: unknown): boolean {
  if (statusOf(error) === 501) return true;
  return ['NotImplemented', 'InvalidArgument', 'InvalidRequest'].includes(refusalCode(error) ?? '');
}

/** Whether `If-None-Match` failed: an object is there, or another process is just making one. */
export function hasAppeared(error: unknown): boolean {
  return statusOf(error) === 412 || refusalCode(error) === 'ConditionalRequestConflict';
}

/** Why a request failed: one line, without a full stop. */
export function reasonOf(error: unknown, { serverName }: Pick<Bucket, 'serverName'>): string {
  if (error instanceof NoS3Answer) return noS3(serverName, error.message);
  const status = statusOf(error);
  if (status === undefined) return connectionFault(error, serverName);
  if (!(error instanceof S3ServiceException)) return noS3(serverName, `HTTP ${status}, and no XML of S3`);
  const known = refusals[error.name];
  if (known !== undefined) return known;
  // So the SDK calls an answer without an error code.
  if (!error.name.startsWith('Unknown')) return `the server answers ${printable(`${error.name}: ${errorText(error)}`)}`;
  if (status === 403) return 'access denied';
  return status === 503 ? overloaded : noS3(serverName, `HTTP ${status} without an error code`);
}

/** Of a request without an answer. The SDK calls some lost connections `TimeoutError`, so the code counts first. */
function connectionFault(error: unknown, serverName: string): string {
  const name = typeof error === 'object' && error !== null && 'name' in error ? error.name : undefined;
  if (name === 'CredentialsProviderError') return 'no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
  const code = errorCode(error) ?? '';
  const known = code.startsWith('HPE_') ? 'it does not speak HTTP: check --s3-endpoint' : connectionFaults[code];
  return `${serverName}: ${known ?? (name === 'TimeoutError' ? tooSlow : printable(errorText(error)))}`;
}

function noS3(serverName: string, why: string): string {
  return `${serverName} does not answer as S3 does (${why}): check --s3-endpoint`;
}

interface Translation {
  readonly bucket: Bucket;
  readonly path: string;
  readonly exitCode: typeof ExitCode.output | typeof ExitCode.usage;
  /** `write the archive to`. */
  readonly action: string;
}

/** Throws the signal's reason, a JobError as it is, and any other failure as a JobError: `cannot … s3://…: …`. */
export async function translate<T>(
  { bucket, path, exitCode, action }: Translation,
  step: () => Promise<T>,
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof JobError) throw error;
    if (bucket.signal.aborted) throw bucket.signal.reason;
    const message = `cannot ${action} ${bucket.nameOf(path)}: ${reasonOf(error, bucket)}`;
    throw new JobError(exitCode, message, { cause: error });
  }
}

export function reading(bucket: Bucket, path: string): Translation {
  return { bucket, path, exitCode: ExitCode.usage, action: 'read the archive from' };
}

export function writing(bucket: Bucket, path: string): Translation {
  return { bucket, path, exitCode: ExitCode.output, action: 'write the archive to' };
}
