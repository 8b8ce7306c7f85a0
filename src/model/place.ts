/** Places of archives, as operators spell them: `-`, a file, `s3://bucket/key`, `sftp://[user@]host[:port]/path`. */
import { failed, success, type Result } from '../base/result.js';

/** A place that keeps archives. `path` is what the store calls a file: a path, or the key in a bucket. */
export type StoredPlace =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly path: string }
  | {
      readonly kind: 'sftp';
      /** Undefined where the place names none. */
      readonly user: string | undefined;
      readonly host: string;
      readonly port: number;
      /** Absolute, or relative to the user's own directory (`sftp://host/~/path`). */
      readonly path: string;
    };

export type Place = { readonly kind: 'stdio' } | StoredPlace;

const sshPort = 22;

/** Nothing is decoded: a path or key is what stands there. Any text without one of the schemes is a file. */
export function parsePlace(text: string): Result<Place> {
  if (text === '-') return success({ kind: 'stdio' });
  const [, scheme, rest = ''] = /^(s3|sftp):\/\/(.*)$/s.exec(text) ?? [];
  if (scheme === 's3') return parseS3(rest);
  if (scheme === 'sftp') return parseSftp(rest);
  return success({ kind: 'file', path: text });
}

/** Amazon's rules for names of buckets, without those that forbid some prefixes. */
const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const maxKeyBytes = 1024;

function parseS3(rest: string): Result<StoredPlace> {
  const [, bucket = '', path = ''] = /^([^/]*)\/?(.*)$/s.exec(rest) ?? [];
  if (!bucketPattern.test(bucket)) return failed('it must name a bucket: s3://bucket/key');
  if (Buffer.byteLength(path) > maxKeyBytes) return failed(`its key is longer than ${maxKeyBytes} bytes`);
  return success({ kind: 's3', bucket, path });
}

function parseSftp(rest: string): Result<StoredPlace> {
  const [, user, host = '', port, path = ''] =
    /^(?:([^@/]*)@)?(\[[^\]]+\]|[^/:]+)(?::(\d{1,5}))?\/(.*)$/s.exec(rest) ?? [];
  if (host === '') return failed('it must name a host and a path: sftp://user@host/path');
  if (user?.includes(':') === true) return failed('a password has no place in it: other users see command lines');
  const number = port === undefined ? sshPort : Number(port);
  if (number < 1 || number > 65535) return failed('its port is not one of 1 to 65535');
  const isRelative = path.startsWith('~/');
  return success({
    kind: 'sftp',
    user: user === '' ? undefined : user,
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: number,
    path: isRelative ? path.slice(2) : `/${path}`,
  });
}

/** As an operator would spell it, with another path. */
export function nameOfPlace(place: StoredPlace, path = place.path): string {
  if (place.kind === 'file') return path;
  if (place.kind === 's3') return `s3://${place.bucket}/${path}`;
  const user = place.user === undefined ? '' : `${place.user}@`;
  const host = place.host.includes(':') ? `[${place.host}]` : place.host;
  const port = place.port === sshPort ? '' : `:${place.port}`;
  return `sftp://${user}${host}${port}${path.startsWith('/') ? path : `/~/${path}`}`;
}
