/** The rows of the matrix about a UCP in use: nodes that are down, answers with gaps, networks and certificates of its own. */
import type { Ended } from '../support/command.js';
import { ucpPassword } from '../support/embedded-dtr.js';
import { runInProcess } from '../support/in-process.js';
import { createAuthority } from '../support/pki.js';
import type { ReqlServer } from '../support/replica/reql-server.js';
import { addContainer } from '../support/ucp/cluster.js';
import { startUcpStandIn, type UcpStandIn, type UcpStandInOptions } from '../support/ucp/stand-in.js';
import type { FaultCase } from './fault-case.js';

const ownId = 'c0ffee00'.repeat(8);
const node = 'dtr-node-1';

interface Backup {
  readonly server: ReqlServer;
  readonly options?: UcpStandInOptions;
  readonly flags?: readonly string[];
  /** Done to the cluster before the run. */
  readonly prepare?: (ucp: UcpStandIn) => void;
}

async function backUp({ server, options, flags = [], prepare }: Backup): Promise<Ended> {
  await using ucp = await startUcpStandIn({ username: 'admin', password: ucpPassword, ...options });
  prepare?.(ucp);
  const trust = flags.includes('--ucp-ca') ? [] : ['--ucp-insecure-tls'];
  const signIn = ['--ucp-url', ucp.url, '--ucp-username', 'admin', ...trust, '--connect-timeout', '2'];
  const database = ['--rethinkdb-addr', `127.0.0.1:${server.port}`, '--rethinkdb-plaintext', '--consistency', 'scan'];
  return await runInProcess(['backup', ...signIn, ...database, ...flags], { env: { UCP_PASSWORD: ucpPassword } });
}

/** Through the overlay network, which it does not come to use. */
async function joinNetwork(prepare: (ucp: UcpStandIn) => void): Promise<Ended> {
  const tls = { 'rethink/cert.pem': 'a', 'rethink-client/cert.pem': 'b', 'rethink-client/key.pem': 'c' };
  const replicas = [{ id: '0123456789ab', ca: tls }];
  const account = { username: 'admin', password: ucpPassword };
  await using ucp = await startUcpStandIn({ ...account, replicas, ownContainer: { id: ownId } });
  prepare(ucp);
  const signIn = ['--ucp-url', ucp.url, '--ucp-username', 'admin', '--ucp-insecure-tls', '--connect-timeout', '2'];
  const env = { UCP_PASSWORD: ucpPassword };
  return await runInProcess(['backup', ...signIn], { env, hostName: ownId.slice(0, 12) });
}

type Row = Omit<FaultCase, 'area' | 'verdict' | 'exitCode'> & { readonly exitCode: number };
const row = ({ exitCode, ...rest }: Row): FaultCase => ({
  ...{ area: 'UCP', verdict: exitCode === 0 ? 'whole' : 'nothing', exitCode },
  ...rest,
});

const down: readonly FaultCase[] = [
  row({
    fault: 'the node of the replica is down ("Host Down")',
    exitCode: 5,
    says: /does not reach node dtr-node-1 of DTR replica 0123456789ab/,
    run: ({ server }) => backUp({ server, prepare: ({ state }) => void state.downNodes.add(node) }),
  }),
  row({
    fault: 'the node of the replica goes down after the list (500)',
    exitCode: 5,
    says: /the engine of node dtr-node-1 cannot answer for dtr-rethinkdb-0123456789ab: .* running on unhealthy node/,
    run: ({ server }) => {
      const message = `Container ${ownId} running on unhealthy node ${node}`;
      const fault = { kind: 'status', status: 500, message } as const;
      return backUp({ server, prepare: ({ faults }) => faults.add({ on: /^GET \/containers\/.{64}\/json/, fault }) });
    },
  }),
];

const gaps: readonly FaultCase[] = [
  row({
    fault: 'a foreign container is listed without State',
    exitCode: 0,
    run: ({ server }) =>
      backUp({ server, prepare: ({ state }) => void addContainer(state, { name: 'app', lacks: 'State' }) }),
  }),
  ...(['NetworkSettings', 'Networks', 'endpoints'] as const).map((lacks) =>
    row({
      fault: `the engine answers with null for the ${lacks} of the replica's containers`,
      exitCode: 0,
      run: ({ server }) =>
        backUp({ server, prepare: ({ state }) => state.containers.forEach((one) => (one.lacks = lacks)) }),
    }),
  ),
  row({
    fault: 'UCP has too many requests (429), and says for how long (Retry-After)',
    exitCode: 0,
    run: ({ server }) => {
      const fault = { kind: 'status', status: 429, retryAfter: '1' } as const;
      return backUp({
        server,
        prepare: ({ faults }) => faults.add({ on: /^GET \/containers\/json/, fault, times: 1 }),
      });
    },
  }),
  row({
    fault: 'UCP never answers with its list, and --read-timeout is short',
    exitCode: 4,
    says: /no answer, or no more of it, to GET \/containers\/json\?all=1 within 1 s/,
    run: ({ server }) => {
      const flags = ['--read-timeout', '1'];
      const fault = { kind: 'stall' } as const;
      return backUp({ server, flags, prepare: ({ faults }) => faults.add({ on: /^GET \/containers\/json/, fault }) });
    },
  }),
];

const network: readonly FaultCase[] = [
  row({
    fault: 'the engine forbids to join the overlay network (403, not attachable)',
    exitCode: 6,
    says: /cannot join overlay network dtr-ol .* with 403: .*network dtr-ol not manually attachable/,
    run: () => joinNetwork(({ state }) => void state.unattachableNetworks.add('dtr-ol')),
  }),
];

const clientAuthority = createAuthority('UCP Client Root CA');
const pair = clientAuthority.issue({ commonName: 'admin', client: true });
const issuer = createAuthority('Company Root CA').intermediate('UCP Intermediate CA');

const certificates: readonly FaultCase[] = [
  row({
    fault: 'UCP asks for a client certificate, which --ucp-client-cert gives',
    exitCode: 0,
    run: ({ server }) => {
      const flags = ['--ucp-client-cert', pair.cert, '--ucp-client-key', pair.key];
      return backUp({ server, flags, options: { clientAuthority } });
    },
  }),
  row({
    fault: 'UCP asks for a client certificate, and none is given',
    exitCode: 4,
    says: /it requires a client certificate; give .* --ucp-client-cert and --ucp-client-key$/,
    run: ({ server }) => backUp({ server, options: { clientAuthority } }),
  }),
  row({
    fault: '--ucp-ca is an intermediate authority alone',
    exitCode: 0,
    run: ({ server }) => backUp({ server, flags: ['--ucp-ca', issuer.certPem], options: { issuer } }),
  }),
];

export const ucpAnswerCases: readonly FaultCase[] = [...down, ...gaps, ...network, ...certificates];
