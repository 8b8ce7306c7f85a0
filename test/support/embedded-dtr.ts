/** The embedded DTR: a UCP, a replica behind it with mutual TLS and certificate volumes, and its seeded RethinkDB. */
import type { TlsIdentity } from '#src/model/replica-access.js';
import { createAuthority } from './pki.js';
import { createReplicaTls } from './replica/replica-tls.js';
import { startReqlServer, type ReqlServer } from './replica/reql-server.js';
import { startUcpStandIn, type UcpStandIn, type UcpStandInOptions } from './ucp/stand-in.js';

export interface EmbeddedDtr extends AsyncDisposable {
  readonly replicaId: string;
  readonly version: string;
  readonly ucp: UcpStandIn;
  readonly rethinkdb: ReqlServer;
  /** What a client of the replica's RethinkDB shows. */
  readonly identity: TlsIdentity;
  /** Path inside each volume to content: what must be in an archive. */
  readonly volumes: { readonly ca: ReadonlyMap<string, Buffer>; readonly notary: ReadonlyMap<string, Buffer> };
}

export const ucpPassword = 'correct horse battery staple';

/** Starts everything, unseeded; resolves when it answers. */
export async function startEmbeddedDtr(options: Pick<UcpStandInOptions, 'ownContainer'> = {}): Promise<EmbeddedDtr> {
  const replicaId = '0a1b2c3d4e5f';
  const version = '2.9.4';
  const tls = createReplicaTls(createAuthority('DTR Root CA'), replicaId);
  const rethinkdb = await startReqlServer({ tls: tls.server });
  const volumes = { ca: tls.caVolume, notary: tls.notaryVolume };
  const ucp = await startUcpStandIn({
    ...options,
    username: 'admin',
    password: ucpPassword,
    replicas: [
      { id: replicaId, version, ca: Object.fromEntries(volumes.ca), notary: Object.fromEntries(volumes.notary) },
    ],
  });
  return {
    ...{ replicaId, version, ucp, rethinkdb, volumes, identity: tls.identity },
    async [Symbol.asyncDispose]() {
      await ucp[Symbol.asyncDispose]();
      await rethinkdb[Symbol.asyncDispose]();
    },
  };
}
