/** The rows of the matrix about the TLS of RethinkDB, before which there is no protocol of RethinkDB. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import type { Ended } from '../support/command.js';
import { createAuthority, type IssuedCertificate } from '../support/pki.js';
import { runProgram } from '../support/program.js';
import type { FaultCase } from './fault-case.js';

const authority = createAuthority('dtr-ca');
const server = (dnsNames: readonly string[], ipAddresses: readonly string[] = []): IssuedCertificate =>
  authority.issue({ commonName: 'dtr-rethinkdb', dnsNames, ipAddresses });
const client = (from = authority, changes = {}): IssuedCertificate =>
  from.issue({ commonName: 'client', client: true, ...changes });

/** With a minute of patience, of which these faults take none. */
async function backUp(pair: IssuedCertificate, clientPair: IssuedCertificate): Promise<Ended> {
  const listener = createServer({ ...pair, ca: authority.certPem, requestCert: true, rejectUnauthorized: true });
  listener.on('tlsClientError', () => undefined).on('secureConnection', (socket) => socket.destroy());
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const { port } = listener.address() as AddressInfo;
  const { cert, key } = clientPair;
  const identity = [
    '--rethinkdb-ca',
    authority.certPem,
    '--rethinkdb-client-cert',
    cert,
    '--rethinkdb-client-key',
    key,
  ];
  const target = ['--rethinkdb-addr', `127.0.0.1:${port}`, '--dtr-version', '2.9.4', '--connect-timeout', '60'];
  try {
    return await runProgram(['backup', ...target, ...identity]);
  } finally {
    listener.close();
    await once(listener, 'close');
  }
}

const row = (fault: string, says: RegExp, run: FaultCase['run']): FaultCase => ({
  ...{ area: 'network', fault, exitCode: 7, says, verdict: 'nothing', run },
});

export const rethinkTlsCases: readonly FaultCase[] = [
  row(
    "RethinkDB's certificate is for another name",
    /has a certificate for \*\.dtr-ol, not for 127\.0\.0\.1: .* --rethinkdb-server-name, .* --rethinkdb-insecure-skip-verify$/,
    () => backUp(server(['*.dtr-ol']), client()),
  ),
  row(
    'RethinkDB closes each connection of the client certificate without a word',
    /refuses the connection: it closes each connection without an answer/,
    () => backUp(server([], ['127.0.0.1']), client(createAuthority('Somebody else'))),
  ),
  row(
    'the client certificate for RethinkDB has expired',
    /client certificate for RethinkDB .* it has expired on /,
    () => backUp(server([], ['127.0.0.1']), client(authority, { notAfter: new Date(Date.now() - 1000) })),
  ),
];
