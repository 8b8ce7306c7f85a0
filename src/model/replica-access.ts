/** The way to a replica's RethinkDB, as the operator gave it: through UCP, or directly. */
import type { Secret } from '../base/secret.js';
import type { DtrVersion } from './dtr-version.js';
import type { ReplicaId } from './replica-id.js';
import type { RethinkdbAddress } from './rethinkdb-address.js';
import type { TlsIdentity } from './tls-identity.js';
import type { UcpUrl } from './ucp-url.js';

export interface UcpCredentials {
  readonly url: UcpUrl;
  readonly username: string;
  readonly password: Secret;
  /** PEM text. */
  readonly ca?: string;
  readonly insecureTls: boolean;
}

/** A user of RethinkDB itself. */
export interface RethinkdbUser {
  readonly name: string;
  readonly password: Secret;
}

export interface Access {
  /** Absent in direct mode. */
  readonly ucp?: UcpCredentials;
  readonly replicaId?: ReplicaId;
  readonly dtrVersion?: DtrVersion;
  /** With UCP it only replaces the replica's own address, and no network is joined. */
  readonly address?: RethinkdbAddress;
  readonly plaintext: boolean;
  /** What the settings say of TLS; with UCP the replica's own files fill in the rest. */
  readonly tls: TlsIdentity;
  readonly insecureSkipVerify: boolean;
  readonly rethinkdbUser: RethinkdbUser;
  readonly connectWindowMs: number;
  readonly readTimeoutMs: number;
}
