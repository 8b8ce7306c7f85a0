/**
 * The UCP of the e2e world, in a container of its own: a real HTTPS server with sign-in that passes Docker's calls on to
 * the real engine, and shows containers and volumes the way UCP does, with the node before their names.
 */
import { request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createAuthority } from '../../support/pki.js';
import { Accounts } from '../../support/ucp/accounts.js';
import { deliver, type StandInAnswer } from '../../support/ucp/answer.js';
import { withNode } from './node-names.js';

const { UCP_USERNAME = 'admin', UCP_PASSWORD = '', UCP_NODE = 'worker-1' } = process.env;
const engineSocket = '/var/run/docker.sock';
const authority = createAuthority('UCP Client Root CA');
const accounts = new Accounts(UCP_USERNAME, UCP_PASSWORD);

const server = createServer(authority.issue({ commonName: 'ucp', dnsNames: ['ucp'] }), (incoming, response) => {
  console.log(`${incoming.method ?? ''} ${incoming.url ?? ''}`);
  handle(incoming, response).catch((error: unknown) => {
    console.log(String(error));
    response.destroy();
  });
});
server.listen(443, () => console.log('UCP answers'));
process.once('SIGTERM', () => process.exit());

async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const own = await answerOurselves(incoming);
  if (own !== undefined) await deliver(own, undefined, response);
  else await passOn(incoming, response);
}

/** What UCP itself answers; undefined for a call to Docker with a valid token. */
async function answerOurselves(incoming: IncomingMessage): Promise<StandInAnswer | undefined> {
  const { method = '', url: path = '', headers } = incoming;
  const request = { method, url: new URL(path, 'https://ucp'), headers, body: '' };
  switch (`${method} ${path}`) {
    case 'GET /_ping':
      return { status: 200, type: 'text/plain', body: 'OK' };
    case 'GET /ca':
      return { status: 200, type: 'application/x-pem-file', body: authority.certPem };
    case 'POST /auth/login':
      return accounts.signIn({ ...request, body: await text(incoming) });
    default:
      return accounts.refuse(request);
  }
}

async function passOn(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '', headers } = incoming;
  // UCP finds the node of a volume by the name it shows.
  const path = url.replace(`/volumes/${UCP_NODE}%2F`, '/volumes/');
  const { authorization, host, ...passed } = headers;
  const outgoing = ask({ socketPath: engineSocket, method, path, headers: { ...passed, host: 'docker' } });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject);
  });
  await pipeline(incoming, outgoing);
  const answer = await answered;
  const { statusCode = 502, headers: answerHeaders } = answer;
  if (method !== 'GET' || statusCode !== 200 || !/^\/containers\/(?:[^/]+\/)?json\b/.test(path)) {
    response.writeHead(statusCode, answerHeaders);
    await pipeline(answer, response);
    return;
  }
  const shown = withNode(UCP_NODE, JSON.parse(String(await buffer(answer))) as unknown);
  response.writeHead(statusCode, { 'content-type': 'application/json' }).end(JSON.stringify(shown));
}
