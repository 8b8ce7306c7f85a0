// What the UCP stand-in itself must get right for the other tests to mean anything.
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { startUcpStandIn, type UcpStandIn } from '../../support/ucp/stand-in.js';

async function ask({ url, caPem }: UcpStandIn, method: string, path: string, token = ''): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
    const call = request(`${url}${path}`, { method, ca: caPem, headers, agent: false }, (answer) => {
      text(answer).then((body) => resolve([answer.statusCode ?? 0, body]), reject);
    });
    call.on('error', reject).end();
  });
}

describe('the UCP stand-in', () => {
  test('gives its authority and its health to anyone', async () => {
    await using ucp = await startUcpStandIn();
    expect(await ask(ucp, 'GET', '/ca')).toEqual([200, ucp.caPem]);
    expect(await ask(ucp, 'GET', '/_ping')).toEqual([200, 'OK']);
  });

  test.each([
    ['GET', '/containers/json?all=1'],
    ['GET', '/containers/0123456789ab/json'],
    ['GET', '/containers/0123456789ab/archive?path=/ca'],
    ['GET', '/networks'],
    ['POST', '/networks/dtr-ol/connect'],
    ['POST', '/networks/dtr-ol/disconnect'],
  ])('refuses %s %s without a token, and with one that is not its own', async (method, path) => {
    await using ucp = await startUcpStandIn();
    expect((await ask(ucp, method, path))[0]).toBe(401);
    expect((await ask(ucp, method, path, 'made-up'))[0]).toBe(401);
    expect(ucp.state.networkChanges).toEqual([]);
  });

  test('shows only running containers unless all are asked for', async () => {
    await using ucp = await startUcpStandIn({ replicas: [{ id: '0123456789ab', rethinkdbState: 'exited' }] });
    const { username, password } = ucp.accounts;
    const signedIn = ucp.accounts.signIn({
      method: 'POST',
      url: new URL(ucp.url),
      headers: {},
      body: JSON.stringify({ username, password }),
    });
    expect(signedIn.status).toBe(200);
    const [token] = ucp.accounts.givenTokens;
    const countIn = ([, body]: [number, string]): number => (JSON.parse(body) as unknown[]).length;
    expect(countIn(await ask(ucp, 'GET', '/containers/json', token))).toBe(8);
    expect(countIn(await ask(ucp, 'GET', '/containers/json?all=1', token))).toBe(9);
  });
});
