/** Whether a server is the one that is meant: its host key against a fingerprint, or against a known_hosts file. */
import { createHash } from 'node:crypto';
import { findKnownKeys, knownHostsName, type KnownKeys } from './known-hosts.js';

export interface HostKeyCheck {
  /**
   * Algorithms to offer, in order of preference, one list for each connection until one shows a trusted key: a server with
   * several keys shows one that suits the offer. Undefined is ssh2's own list.
   */
  readonly offers: readonly (readonly string[] | undefined)[];
  isTrusted(key: Buffer): boolean;
  /** Why none of these keys is trusted: a reason for an operator. At least one. */
  refusal(keys: readonly Buffer[]): string;
}

interface HostKeySettings {
  readonly host: string;
  readonly port: number;
  /** The text of a known_hosts file. */
  readonly knownHosts: string | undefined;
  /** `SHA256:…`, as `ssh-keygen -lf` prints it; it decides alone where both are given. */
  readonly fingerprint: string | undefined;
}

/** RFC 8332: one RSA key serves three algorithms. */
const rsa: readonly string[] = ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'];
const ecdsa: readonly string[] = ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'];
const algorithmsOf: Readonly<Record<string, readonly string[]>> = {
  'ssh-rsa': rsa,
  'ssh-ed25519': ['ssh-ed25519'],
  ...Object.fromEntries(ecdsa.map((name) => [name, [name]])),
};

export function createHostKeyCheck(settings: HostKeySettings): HostKeyCheck {
  const { host, port, knownHosts, fingerprint } = settings;
  if (fingerprint !== undefined) return fingerprintCheck(fingerprint);
  if (knownHosts === undefined) return { offers: [undefined], isTrusted: () => false, refusal: nothingGiven };
  const name = knownHostsName(host, port);
  return knownHostsCheck(findKnownKeys(knownHosts, name), name);
}

/** `SHA256:…`, as `ssh-keygen -lf` and ssh(1) print it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

export function isFingerprint(text: string): boolean {
  return /^SHA256:[A-Za-z0-9+/]{43}=?$/.test(text);
}

function fingerprintCheck(fingerprint: string): HostKeyCheck {
  const expected = fingerprint.replace(/=$/, '');
  return {
    // It does not say of which kind its key is.
    offers: [undefined, ['ssh-ed25519'], ecdsa, rsa],
    isTrusted: (key) => fingerprintOf(key) === expected,
    refusal: (keys) =>
      `its host key is not that of --ssh-fingerprint, ${expected}: ${shown(keys)}; either the server has a new key, or another server answers`,
  };
}

function knownHostsCheck({ trusted, revoked, hasAuthorities }: KnownKeys, name: string): HostKeyCheck {
  const isIn = (keys: readonly Buffer[], key: Buffer): boolean => keys.some((other) => other.equals(key));
  const known = [...new Set(trusted.flatMap(({ type }) => algorithmsOf[type] ?? []))];
  return {
    // The last one for a server that has none of the known kinds: its key can be shown.
    offers: known.length === 0 ? [undefined] : [known, undefined],
    isTrusted(key) {
      const keys = trusted.map((line) => line.key);
      return isIn(keys, key) && !isIn(revoked, key);
    },
    refusal(keys) {
      if (keys.some((key) => isIn(revoked, key)))
        return `its host key is marked @revoked in --ssh-known-hosts: ${shown(keys)}`;
      if (trusted.length > 0)
        return `its host key is not the one that --ssh-known-hosts has for ${name}: ${shown(keys)}; either the server has a new key, or another server answers`;
      const why = hasAuthorities
        ? `--ssh-known-hosts has only @cert-authority lines for ${name}, and host certificates are not supported`
        : `--ssh-known-hosts has no line for ${name}`;
      return `${why}: ${shown(keys)}; compare, then add its line, or give --ssh-fingerprint`;
    },
  };
}

function nothingGiven(keys: readonly Buffer[]): string {
  return `neither --ssh-known-hosts nor --ssh-fingerprint says which host key is right: ${shown(keys)}; compare with the server's own (ssh-keygen -lf), then give it as --ssh-fingerprint`;
}

function shown(keys: readonly Buffer[]): string {
  return `the server shows ${[...new Set(keys.map(describeKey))].join(', ')}`;
}

/** The type stands first in a key, after its length (RFC 4253, section 6.6). */
function describeKey(key: Buffer): string {
  const typeEnd = key.length >= 4 ? 4 + key.readUInt32BE(0) : 0;
  const type = key.toString('latin1', 4, Math.min(typeEnd, 64)).replaceAll(/[^\w@.-]/g, '?');
  return `${type} ${fingerprintOf(key)}`;
}
