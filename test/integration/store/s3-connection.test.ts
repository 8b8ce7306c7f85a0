import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '#src/base/secret.js';
import type { S3Settings } from '#src/store/s3/s3-store.js';
import { createAuthority } from '../../support/pki.js';
import { startLocalServer } from '../../support/local-server.js';
import { until } from '../../support/until.js';
import { childScript, runChild } from '../../support/store/s3-child.js';
import { cut, on } from '../../support/store/s3-faults.js';
import { startScriptedS3, type ScriptedS3 } from '../../support/store/scripted-s3.js';
import { openTestStore, testSecret } from '../../support/store/s3-under-test.js';

let server: ScriptedS3;
beforeEach(async () => {
  server = await startScriptedS3();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

const mebibyte = 1024 * 1024;

test('every part cut', async () => {
  server.fault = on('UploadPart', cut);
  expect(await runChild({ endpoint: server.endpoint, action: 'write', sizeBytes: 20 * mebibyte })).toMatchObject({
    exitCode: 8,
    message: expect.stringMatching(/a\.tar: http:\S+: the connection is lost, also after several attempts/),
  });
  expect(server.operations.at(-1)).toBe('AbortMultipartUpload');
  expect(server.uploads.size).toBe(0);
});

test('a process killed in mid-upload leaves parts, and no object', async () => {
  const call = { endpoint: server.endpoint, action: 'write', sizeBytes: 1e12 };
  const child = spawn(process.execPath, [childScript, JSON.stringify(call)], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  await until('two parts', () => [...server.uploads.values()].some((parts) => parts.size === 2), 60_000);
  child.kill('SIGKILL');
  await exited;
  expect(server.objects.size).toBe(0);
  expect(server.operations).not.toContain('CompleteMultipartUpload');
  expect(server.uploads.size).toBe(1);
});

describe('an S3 that cannot be reached', () => {
  const failure = (message: RegExp): object => ({ exitCode: 2, message: expect.stringMatching(message) as unknown });

  test('nobody listens', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as { port: number };
    closed.close();
    await once(closed, 'close');
    expect(await runChild({ endpoint: `http://127.0.0.1:${port}`, action: 'read' })).toMatchObject({
      exitCode: 2,
      message: `cannot read the archive from s3://bucket/a.tar: http://127.0.0.1:${port}: the connection is refused`,
    });
  });

  test('it speaks something else than HTTP', async () => {
    await using odd = await startLocalServer((client) => client.end('220 mail.example ESMTP\r\n'));
    const end = await runChild({ endpoint: `http://127.0.0.1:${odd.port}`, action: 'read' });
    expect(end).toMatchObject(failure(/does not speak HTTP/));
  });

  test('TLS at a server without it', async () => {
    const end = await runChild({ endpoint: server.endpoint.replace('http:', 'https:'), action: 'read' });
    expect(end).toMatchObject(failure(/the TLS handshake fails: .* its URL begins with http:/));
  });

  test('its certificate is of an unknown authority, unless it is given', async () => {
    const authority = createAuthority('test');
    const tls = authority.issue({ commonName: 'localhost', ipAddresses: ['127.0.0.1'] });
    await using secure = await startScriptedS3({ tls });
    const { endpoint } = secure;
    expect(await runChild({ endpoint, action: 'read' })).toMatchObject(failure(/unknown authority: .*--s3-ca$/));
    const call = { endpoint, settings: { ca: authority.certPem }, sizeBytes: 20 * mebibyte };
    expect(await runChild({ ...call, action: 'write' })).toMatchObject({ exitCode: 0, message: '' });
    expect(await runChild({ ...call, action: 'read' })).toMatchObject({ exitCode: 0, bytes: call.sizeBytes });
  });

  test('no credentials, or half of them', async () => {
    const { endpoint } = server;
    const end = await runChild({ endpoint, action: 'read', withoutKeys: true });
    expect(end).toMatchObject(failure(/no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY$/));
    const half = openTestStore(endpoint, { accessKeyId: undefined, secretAccessKey: new Secret(testSecret) });
    await expect(half).rejects.toMatchObject({
      exitCode: 2,
      message: 'AWS_SECRET_ACCESS_KEY is set without AWS_ACCESS_KEY_ID',
    });
  });

  test.each<[Partial<S3Settings>, string]>([
    [{ endpoint: 'localhost:9000' }, '--s3-endpoint: not an http:// or https:// URL: localhost:9000'],
    [{ ca: 'no PEM' }, '--s3-ca: not a certificate in PEM'],
  ])('settings that cannot work: %j', async (settings, message) => {
    await expect(openTestStore(server.endpoint, settings)).rejects.toMatchObject({ exitCode: 2, message });
  });
});
