/**
 * The key material of a DTR replica: certificates for RethinkDB over mutual TLS, and the files of the volumes dtr-ca-<id>
 * and dtr-notary-<id> that hold them. The certificates come from the authority it is given.
 */
import { Secret } from '#src/base/secret.js';
import type { TlsIdentity } from '#src/model/replica-access.js';
import type { Authority } from '../pki.js';
import type { ServerTls } from './reql-server.js';
import { SeedRandom } from './seed-random.js';

export interface ReplicaTls {
  /** For `startReqlServer`; its certificate is good for 127.0.0.1, localhost and the name on the overlay network. */
  readonly server: ServerTls;
  /** What the client pair of the volume gives. */
  readonly identity: TlsIdentity;
  /** Path inside volume dtr-ca-<id> (mounted at /ca) to content. */
  readonly caVolume: ReadonlyMap<string, Buffer>;
  /** Path inside volume dtr-notary-<id> to content. */
  readonly notaryVolume: ReadonlyMap<string, Buffer>;
}

/** `replicaId` is the 12 hex digits at the end of the replica's names. */
export function createReplicaTls(authority: Authority, replicaId: string): ReplicaTls {
  const host = `dtr-rethinkdb-${replicaId}`;
  const dnsNames = [`${host}.dtr-ol`, host, 'localhost'];
  const serverPair = authority.issue({ commonName: host, dnsNames, ipAddresses: ['127.0.0.1'] });
  const clientName = `dtr-rethinkdb-client-${replicaId}`;
  const clientPair = authority.issue({ commonName: clientName, client: true });
  const ca = authority.certPem;
  const identity: TlsIdentity = { ca, cert: clientPair.cert, key: new Secret(clientPair.key) };
  const random = new SeedRandom(Number.parseInt(replicaId.slice(0, 8), 16));
  return {
    server: { ca, ...serverPair, client: identity },
    identity,
    caVolume: volume({
      'rethink/cert.pem': ca,
      'rethink/key.pem': serverPair.key,
      'rethink-client/cert.pem': clientPair.cert,
      'rethink-client/key.pem': clientPair.key,
      ...pair('registry', random),
      ...pair('garant', random),
      'root/cert.pem': ca,
      'root/key.pem': random.pem('EC PRIVATE KEY', 121),
      // Serial numbers are not PEM, and a file may be empty: both must get into a backup.
      'root/serial': Buffer.from([0, 0xff, 0x80, 0x0a]),
      'rethink/.keep': '',
    }),
    notaryVolume: volume({
      'notary-server/cert.pem': random.pem('CERTIFICATE', 800),
      'notary-server/key.pem': random.pem('EC PRIVATE KEY', 121),
      'notary-signer/cert.pem': random.pem('CERTIFICATE', 810),
      'notary-signer/key.pem': random.pem('EC PRIVATE KEY', 121),
      'notary-server/config.json': JSON.stringify({
        server: { http_addr: ':4443' },
        storage: { backend: 'rethinkdb' },
      }),
    }),
  };
}

function pair(name: string, random: SeedRandom): Record<string, string> {
  return {
    [`${name}/cert.pem`]: random.pem('CERTIFICATE', 780),
    [`${name}/key.pem`]: random.pem('EC PRIVATE KEY', 121),
  };
}

function volume(files: Readonly<Record<string, string | Buffer>>): ReadonlyMap<string, Buffer> {
  return new Map(
    Object.entries(files).map(([path, content]) => [
      path,
      typeof content === 'string' ? Buffer.from(content) : content,
    ]),
  );
}
