/** What an SFTP store needs to know to sign in; checked before anything is connected. */
import type { AnyAuthMethod } from 'ssh2';
import { UsageError } from '../../base/errors.js';
import type { Secret } from '../../base/secret.js';
import { authMethods, openPrivateKey } from './credentials.js';
import { isFingerprint } from './host-key.js';

export interface SftpSettings {
  /** Where the place names none. */
  readonly user: string | undefined;
  /** The text of the file, in OpenSSH's format or PEM. */
  readonly privateKey: Secret | undefined;
  readonly passphrase: Secret | undefined;
  readonly password: Secret | undefined;
  /** The text of a known_hosts file. */
  readonly knownHosts: string | undefined;
  /** Of the server's key: `SHA256:…`, as `ssh-keygen -lf` prints it. Decides alone where both are given. */
  readonly fingerprint: string | undefined;
  /** How long a connection may be lost, or not be made at first. */
  readonly connectWindowMs: number;
  /** Without an answer for so long, a connection is lost. */
  readonly readTimeoutMs: number;
}

export interface SignIn {
  readonly user: string;
  readonly methods: readonly AnyAuthMethod[];
}

/** Who signs in, and how. Throws a UsageError with every fault. */
export function signInOf(name: string, placeUser: string | undefined, settings: SftpSettings): SignIn {
  const { privateKey, password, fingerprint } = settings;
  const user = placeUser ?? settings.user;
  const key = openPrivateKey(settings);
  const faults = [
    user === undefined && `${name} names no user: write sftp://USER@host/path, or give --sftp-user`,
    privateKey === undefined && password === undefined && `${name} needs --sftp-key or --sftp-password`,
    !key.ok && `--sftp-key cannot be used: ${key.reason}`,
    fingerprint !== undefined &&
      !isFingerprint(fingerprint) &&
      '--ssh-fingerprint is not one: it takes SHA256:… as `ssh-keygen -lf` prints it',
  ].filter((fault) => fault !== false);
  if (user === undefined || !key.ok || faults.length > 0) throw new UsageError(faults);
  return { user, methods: authMethods({ username: user, key: key.value, password }) };
}
