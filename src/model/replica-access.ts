/** How to reach a replica's RethinkDB: through UCP, or directly. */
import type { Secret } from '../base/secret.js';
import type { DtrVersion } from './dtr-version.js';

/** 12 hex digits, with which every container and volume name of a DTR replica ends. */
export type ReplicaId = string & { readonly __brand: 'ReplicaId' };

/** Undefined for a text that is no id. */
export function parseReplicaId(text: string): ReplicaId | undefined {
  const id = text.trim().toLowerCase();
  return /^[0-9a-f]{12}$/.test(id) ? (id as ReplicaId) : undefined;
}

/** An origin such as `https://ucp.example.com:8443`, without a path and without a slash at the end. */
export type UcpUrl = string & { readonly __brand: 'UcpUrl' };

/**
 * Accepts a URL without `https://`, and cuts off path, query and fragment. Undefined for a text that is no URL, that has
 * another scheme (a password never goes over plain HTTP), or a user name.
 */
export function parseUcpUrl(text: string): UcpUrl | undefined {
  const trimmed = text.trim();
  const candidate = /^https:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`;
  // URL would read `https:///x` and `https://http://x` as the hosts `x` and `http`.
  if (!/^https:\/\/[^/\\?#:]/i.test(candidate) || /^https:\/\/[a-z]+:\/\//i.test(candidate)) return undefined;
  if (!URL.canParse(candidate)) return undefined;
  const { host, origin, username, password } = new URL(candidate);
  if (host === '' || username !== '' || password !== '') return undefined;
  return origin as UcpUrl;
}

/** Of a RethinkDB server's driver port. */
export interface RethinkdbAddress {
  readonly host: string;
  readonly port: number;
}

/** RethinkDB's default driver port. */
export const defaultDriverPort = 28015;

/** Accepts `HOST`, `HOST:PORT` and `[IPV6]:PORT`; undefined for any other text. */
export function parseRethinkdbAddress(text: string): RethinkdbAddress | undefined {
  const match = /^(?:\[(?<ipv6>[0-9a-fA-F:.]+)\]|(?<name>[^\s:[\]/]+))(?::(?<port>\d{1,5}))?$/.exec(text.trim());
  const host = match?.groups?.ipv6 ?? match?.groups?.name;
  const port = Number(match?.groups?.port ?? defaultDriverPort);
  return host !== undefined && port >= 1 && port <= 65535 ? { host, port } : undefined;
}

/** For messages. */
export function formatAddress({ host, port }: RethinkdbAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What a mutual-TLS client needs, as PEM text. */
export interface TlsIdentity {
  /** The certificate that the server's is checked against. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: Secret | undefined;
  /** Of the key, where it is encrypted. */
  readonly passphrase?: Secret | undefined;
}

export interface UcpCredentials {
  readonly url: UcpUrl;
  readonly username: string;
  readonly password: Secret;
  /** PEM text. */
  readonly ca?: string | undefined;
  /** What the client shows where UCP asks for a certificate. */
  readonly clientPair?: { readonly cert: string; readonly key: Secret } | undefined;
  readonly insecureTls: boolean;
}

/** A user of RethinkDB itself. */
export interface RethinkdbUser {
  readonly name: string;
  readonly password: Secret;
}

interface CommonAccess {
  readonly replicaId: ReplicaId | undefined;
  /** Undefined: to be detected, which needs UCP. */
  readonly dtrVersion: DtrVersion | undefined;
  /** What the settings say of TLS; with UCP the replica's own files fill in the rest. */
  readonly security:
    | { readonly kind: 'plaintext' }
    | {
        readonly kind: 'tls';
        readonly identity: TlsIdentity;
        readonly insecureSkipVerify: boolean;
        /** In the server's certificate; that of the address when left out. */
        readonly serverName?: string | undefined;
      };
  readonly rethinkdbUser: RethinkdbUser;
  readonly connectWindowMs: number;
  readonly readTimeoutMs: number;
}

export interface UcpAccess extends CommonAccess {
  readonly kind: 'ucp';
  readonly ucp: UcpCredentials;
  /** Used instead of the replica's own address, without joining its network. */
  readonly address: RethinkdbAddress | undefined;
}

/** RethinkDB alone, without UCP and the overlay network. */
export interface DirectAccess extends CommonAccess {
  readonly kind: 'direct';
  readonly address: RethinkdbAddress;
}

export type Access = UcpAccess | DirectAccess;
