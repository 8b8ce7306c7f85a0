/**
 * A UCP of our own: a real HTTPS server with its own authority, sign-in, and the Docker calls the jobs use, on the
 * state of a made-up cluster. Also for the demo: nothing here knows Jest.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { createAuthority, type Authority, type CertificateRequest, type IssuedCertificate } from '../pki.js';
import { Accounts } from './accounts.js';
import { answerInstead, deliver, type StandInAnswer, type StandInRequest } from './answer.js';
import { addContainer, createClusterState, type ClusterContainer, type ClusterState } from './cluster.js';
import { answerDocker } from './docker-routes.js';
import { addDtrReplica, type DtrReplicaOptions } from './dtr-replica.js';
import { Faults } from './faults.js';

export interface UcpStandInOptions {
  /** One, `0123456789ab`, when left out. */
  readonly replicas?: readonly DtrReplicaOptions[];
  /** The container that the caller plays: on no overlay network, and unknown to UCP for so many questions. */
  readonly ownContainer?: { readonly id: string; readonly unknownFor?: number };
  readonly username?: string;
  readonly password?: string;
  /** Changes to the server's certificate, which is else a good one for 127.0.0.1 and localhost. */
  readonly certificate?: Partial<CertificateRequest>;
  /** Issues the server's certificate in place of the authority whose PEM `caPem` is. */
  readonly issuer?: Authority;
  /** Only clients with a certificate of this authority are let in. */
  readonly clientAuthority?: Authority;
}

/** A request as it came in, whatever became of it. */
export interface RecordedCall {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body: string;
}

export interface UcpStandIn extends AsyncDisposable {
  /** `https://127.0.0.1:<port>`. */
  readonly url: string;
  readonly caPem: string;
  /** The server's own certificate. */
  readonly certPem: string;
  readonly calls: readonly RecordedCall[];
  readonly state: ClusterState;
  readonly faults: Faults;
  readonly accounts: Accounts;
  readonly ownContainer: ClusterContainer | undefined;
  openConnections(): number;
}

const defaultCertificate: CertificateRequest = {
  commonName: 'ucp.example.com',
  dnsNames: ['localhost'],
  ipAddresses: ['127.0.0.1'],
};

// Keys take a good part of a second to make, and most stand-ins can do with the same ones.
let usualIdentity: Identity | undefined;

interface Identity {
  readonly authority: Authority;
  readonly issued: IssuedCertificate;
}

function identityFor({ certificate, issuer }: UcpStandInOptions): Identity {
  usualIdentity ??= makeIdentity(createAuthority('UCP Client Root CA'));
  if (certificate === undefined && issuer === undefined) return usualIdentity;
  const { authority } = usualIdentity;
  return { authority, issued: makeIdentity(issuer ?? authority, certificate).issued };
}

function makeIdentity(authority: Authority, changes: Partial<CertificateRequest> = {}): Identity {
  return { authority, issued: authority.issue({ ...defaultCertificate, ...changes }) };
}

export async function startUcpStandIn(options: UcpStandInOptions = {}): Promise<UcpStandIn> {
  const { authority, issued } = identityFor(options);
  const state = createClusterState();
  for (const replica of options.replicas ?? [{ id: '0123456789ab' }]) addDtrReplica(state, replica);
  const { id, unknownFor = 0 } = options.ownContainer ?? {};
  const ownContainer = id === undefined ? undefined : addContainer(state, { id, unknownFor, name: 'dtr-backup' });
  const accounts = new Accounts(options.username ?? 'admin', options.password ?? 'correct horse "battery" staple');
  const faults = new Faults();
  const calls: RecordedCall[] = [];

  const answer = async (request: StandInRequest): Promise<StandInAnswer> => {
    const plain: Readonly<Record<string, StandInAnswer>> = {
      'GET /ca': { status: 200, type: 'application/x-pem-file', body: authority.certPem },
      'GET /_ping': { status: 200, type: 'text/plain', body: 'OK' },
    };
    const name = `${request.method} ${request.url.pathname}`;
    if (name === 'POST /auth/login') return accounts.signIn(request);
    if (name === 'POST /auth/logout') return accounts.signOut(request);
    return plain[name] ?? accounts.refuse(request) ?? answerDocker(state, request);
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: path = '' } = incoming;
    const bytes = await buffer(incoming);
    const body = bytes.toString('utf8');
    calls.push({ method, path, body });
    const fault = faults.take(`${method} ${path}`);
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'late') await fault.until;
    if (fault?.kind === 'reset') {
      response.destroy();
      return;
    }
    const request = { method, url: new URL(path, 'https://stand-in'), headers: incoming.headers, body, bytes };
    await deliver(answerInstead(fault, request) ?? (await answer(request)), fault, response);
  };

  const { clientAuthority } = options;
  const mutual = clientAuthority && { ca: clientAuthority.certPem, requestCert: true, rejectUnauthorized: true };
  const server = createServer({ ...issued, ...mutual }, (incoming, response) => {
    // A client that went away in the middle is an everyday thing to a server.
    handle(incoming, response).catch(() => response.destroy());
  });
  let openConnections = 0;
  server.on('connection', (socket) => {
    openConnections += 1;
    socket.once('close', () => (openConnections -= 1));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caPem: authority.certPem,
    certPem: issued.cert,
    calls,
    state,
    faults,
    accounts,
    ownContainer,
    openConnections: () => openConnections,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
