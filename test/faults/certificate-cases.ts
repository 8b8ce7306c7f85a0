/** The rows of the matrix about certificate volumes as an engine shows them, and about containers that are not one's own. */
import type { ReqlServer } from '../support/replica/reql-server.js';
import { runProgram } from '../support/program.js';
import { rawEntry, type Header } from '../support/archive/odd-tars.js';
import { ucpPassword } from '../support/embedded-dtr.js';
import { addContainer, type ClusterState } from '../support/ucp/cluster.js';
import { startUcpStandIn } from '../support/ucp/stand-in.js';
import type { Ended } from '../support/command.js';
import type { FaultCase } from './fault-case.js';

const replicaId = '0a1b2c3d4e5f';

/** A backup through a UCP whose engine gives this for dtr-ca, in a cluster that may be changed before. */
async function backUp(
  server: ReqlServer,
  entries: readonly Header[],
  change: (state: ClusterState) => void = () => undefined,
): Promise<Ended> {
  const parts = [{ name: 'ca/', type: '5' }, ...entries].map((entry) => rawEntry(entry));
  const tar = (): Buffer => Buffer.concat([...parts, Buffer.alloc(1024)]);
  const replicas = [{ id: replicaId, ca: { tar } }];
  await using ucp = await startUcpStandIn({ username: 'admin', password: ucpPassword, replicas });
  change(ucp.state);
  const signIn = ['--ucp-url', ucp.url, '--ucp-username', 'admin', '--ucp-insecure-tls', '--connect-timeout', '2'];
  const database = ['--rethinkdb-addr', `127.0.0.1:${server.port}`, '--rethinkdb-plaintext'];
  return await runProgram(['backup', ...signIn, ...database], { env: { UCP_PASSWORD: ucpPassword } });
}

const key: Header = { name: 'ca/a.pem', body: 'KEY' };

const volumes: readonly (readonly [string, readonly Header[], FaultCase['exitCode'], RegExp?])[] = [
  ['has a key with two names (a hard link)', [key, { name: 'ca/b.pem', type: '1', link: 'ca/a.pem' }], 0],
  ['has a symbolic link to a key of its own', [key, { name: 'ca/b.pem', type: '2', link: 'a.pem' }], 0],
  ['has file names with backslashes, one at the end', [{ name: 'ca/a\\b' }, { name: 'ca/old\\', body: 'x' }], 0],
  [
    'has a symbolic link to a key elsewhere',
    [{ name: 'ca/key.pem', type: '2', link: '/etc/key.pem' }],
    5,
    /certs\/ca\/key\.pem is a symbolic link out of the volume/,
  ],
  ['has a name that leads out of it', [{ name: 'ca/../../x' }], 5, /ca\/\.\.\/\.\.\/x has the name \.\. in it/],
  ['has one name twice', [key, key], 5, /ca\/a\.pem occurs twice/],
  ['announces a file of more than 64 MiB', [{ name: 'ca/x', size: '00400000001' }], 4, /more than 67108864 bytes/],
  [
    'has a file of more than 16 MiB',
    [{ name: 'ca/x', body: Buffer.alloc(16 * 1024 * 1024 + 1) }],
    5,
    /certificate file ca\/x has 16777217 bytes: an archive takes at most 16777216/,
  ],
  [
    'has a hard link to nothing',
    [{ name: 'ca/b.pem', type: '1', link: 'ca/a.pem' }],
    4,
    /ca\/b\.pem links to ca\/a\.pem, which does not precede it/,
  ],
];

const namesake = (role: string, state: string) => (cluster: ClusterState) =>
  void addContainer(cluster, { name: `dtr-${role}-${replicaId}`, node: 'node-2', state });

export const certificateCases: readonly FaultCase[] = [
  ...volumes.map(([fault, entries, exitCode, says]): FaultCase => ({
    area: 'certificates',
    fault: `the volume dtr-ca ${fault}`,
    exitCode,
    ...(says !== undefined && { says }),
    verdict: exitCode === 0 ? 'whole' : 'nothing',
    run: ({ server }) => backUp(server, entries),
  })),
  ...['rethinkdb', 'registry', 'notary-signer'].map((role): FaultCase => ({
    area: 'certificates',
    fault: `a second container dtr-${role} of the replica runs on another node`,
    exitCode: 5,
    says: /has several containers of one name/,
    verdict: 'nothing',
    run: ({ server }) => backUp(server, [key], namesake(role, 'running')),
  })),
  {
    area: 'certificates',
    fault: 'a stopped container dtr-rethinkdb of the replica is left on another node',
    exitCode: 0,
    verdict: 'whole',
    run: ({ server }) => backUp(server, [key], namesake('rethinkdb', 'exited')),
  },
];
