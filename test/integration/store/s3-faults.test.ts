import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '#src/base/secret.js';
import type { S3Settings } from '#src/store/s3/s3-store.js';
import { createAuthority } from '../../support/pki.js';
import { startLocalServer } from '../../support/local-server.js';
import { refuse, startScriptedS3, type Fault, type ScriptedS3 } from '../../support/store/scripted-s3.js';
import {
  archiveOfThreeParts,
  openTestStore,
  readAll,
  testSecret,
  writeArchive,
} from '../../support/store/s3-under-test.js';

const path = 'a.tar';
const bytes = archiveOfThreeParts();
const on =
  (operation: string, answer: Fault): Fault =>
  (exchange) =>
    exchange.operation === operation && answer(exchange);
const html: Fault = ({ response }) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><p>Welcome<br></p>');
  return true;
};
const cut: Fault = (exchange) => {
  exchange.cut();
  return true;
};
const refusal =
  (status: number, code: string): Fault =>
  (exchange) =>
    refuse(exchange, status, code, 'server text');

let server: ScriptedS3;
beforeEach(async () => {
  server = await startScriptedS3();
});
afterEach(() => server[Symbol.asyncDispose]());

/** The failure of a backup, which must leave nothing at the server. */
async function failedWrite(settings: Partial<S3Settings> = {}): Promise<unknown> {
  await using opened = await openTestStore(server.endpoint, settings);
  const failure = await writeArchive(opened.store, { path, bytes }).then(
    () => 'written',
    (error: unknown) => error,
  );
  expect(server.objects.get(path)).toBeUndefined();
  expect(server.uploads.size).toBe(0);
  expect(String(failure)).not.toContain(testSecret);
  return failure;
}

describe('writing to an S3 that fails', () => {
  test.each<[string, Fault, RegExp]>([
    ['HTML instead of S3', html, /does not answer as S3 does \(.*\): check --s3-endpoint$/],
    ['HTML instead of an upload', on('CreateMultipartUpload', html), /does not answer as S3 does \(/],
    ['HTML instead of a part', on('UploadPart', html), /does not answer as S3 does \(a part without an ETag\)/],
    ['unceasing SlowDown', on('UploadPart', refusal(503, 'SlowDown')), /the server is overloaded, also after several/],
    ['every part cut', on('UploadPart', cut), /the connection is lost, also after several attempts$/],
    ['a clock that differs', refusal(403, 'RequestTimeTooSkewed'), /the clock of this machine differs too much/],
    ['an expired token', refusal(400, 'ExpiredToken'), /the session token has expired: get new credentials$/],
    ['an expired token in the midst', on('UploadPart', refusal(400, 'ExpiredToken')), /the session token has expired/],
    ['no right to write', on('CreateMultipartUpload', refusal(403, 'AccessDenied')), /access denied: the access key/],
    ['a full server', on('UploadPart', refusal(507, 'XMinioStorageFull')), /no space left/],
    ['a code unknown here', on('UploadPart', refusal(400, 'OddCode')), /the server answers OddCode: server text$/],
    [
      'other bytes stored',
      on('UploadPart', ({ response, query }) => {
        if (query.get('partNumber') !== '2') return false;
        response.writeHead(200, { etag: `"${'0'.repeat(32)}"` }).end();
        return true;
      }),
      /the server stored other bytes than were sent: the ETag of part 2 is 0{32}$/,
    ],
    [
      '200 with an error in the body',
      on('CompleteMultipartUpload', ({ response }) => {
        response.writeHead(200, { 'content-type': 'application/xml' });
        response.end('<?xml version="1.0"?>\n<Error><Code>InternalError</Code><Message>sorry</Message></Error>');
        return true;
      }),
      /the server answers InternalError: sorry$/,
    ],
    [
      'an upload that is gone',
      on('CompleteMultipartUpload', refusal(404, 'NoSuchUpload')),
      /the server no longer knows the upload/,
    ],
    [
      'completed and not there',
      on('CompleteMultipartUpload', (exchange) => {
        exchange.proceed();
        server.objects.clear();
        return true;
      }),
      /the server says that it is complete, but does not have it$/,
    ],
  ])('%s', async (_, fault, message) => {
    server.fault = fault;
    expect(await failedWrite()).toMatchObject({
      name: 'JobError',
      exitCode: 8,
      message: expect.stringMatching(message),
    });
    const isStarted = server.operations.includes('UploadPart');
    if (isStarted) expect(server.operations).toContain('AbortMultipartUpload');
  });

  test.each([
    ['its size', { body: Buffer.from('short') }, /the server has 5 bytes of it instead of 20971521$/],
    [
      'its ETag',
      { etag: `"${'1'.repeat(32)}-3"` },
      /the server stored other bytes than were sent: its ETag is 1{32}-3$/,
    ],
  ])('what was made is removed where %s is wrong', async (_, wrong, message) => {
    server.fault = on('CompleteMultipartUpload', (exchange) => {
      exchange.proceed();
      const made = server.objects.get(path);
      if (made !== undefined) server.objects.set(path, { ...made, ...wrong });
      return true;
    });
    expect(await failedWrite()).toMatchObject({ exitCode: 8, message: expect.stringMatching(message) });
    expect(server.operations).toContain('DeleteObject');
  });

  test.each<[string, Fault]>([
    ['SlowDown', (exchange) => exchange.count === 1 && refuse(exchange, 503, 'SlowDown')],
    ['an internal error', (exchange) => exchange.count === 1 && refuse(exchange, 500, 'InternalError')],
    ['a lost connection', (exchange) => exchange.count === 1 && cut(exchange)],
  ])('%s at each request once does no harm', async (_, fault) => {
    server.fault = fault;
    await using opened = await openTestStore(server.endpoint);
    await writeArchive(opened.store, { path, bytes });
    expect(server.objects.get(path)?.body.equals(bytes)).toBe(true);
  });

  test('a commit whose answer is lost is looked for before it is called failed', async () => {
    server.fault = on('CompleteMultipartUpload', (exchange) => {
      if (exchange.count > 1) return false;
      exchange.response.end = ((): unknown => exchange.cut()) as never;
      exchange.proceed();
      return true;
    });
    await using opened = await openTestStore(server.endpoint);
    await writeArchive(opened.store, { path, bytes });
    expect(server.operations.filter((one) => one === 'CompleteMultipartUpload')).toHaveLength(2);
    expect(server.objects.get(path)?.body.equals(bytes)).toBe(true);
    expect(server.operations).not.toContain('DeleteObject');
  });

  test.each([501, 400])('without If-None-Match at the server (%d) it asks by HEAD once more', async (status) => {
    let isMeanwhile = false;
    server.fault = on('CompleteMultipartUpload', (exchange) => {
      if (exchange.request.headers['if-none-match'] === undefined) return false;
      if (isMeanwhile) server.objects.set(path, { body: Buffer.from('theirs'), etag: '"0"', metadata: {} });
      return refuse(exchange, status, status === 501 ? 'NotImplemented' : 'InvalidArgument');
    });
    await using opened = await openTestStore(server.endpoint);
    await writeArchive(opened.store, { path, bytes });
    expect(server.objects.get(path)?.body.equals(bytes)).toBe(true);
    server.objects.clear();
    isMeanwhile = true;
    await expect(writeArchive(opened.store, { path, bytes })).rejects.toMatchObject({
      exitCode: 8,
      message: `s3://bucket/${path} appeared while the archive was written, and is not overwritten`,
    });
    expect(String(server.objects.get(path)?.body)).toBe('theirs');
    expect(server.uploads.size).toBe(0);
  });

  test('412 at the end: it appeared between the last look and the commit', async () => {
    server.fault = on('CompleteMultipartUpload', () => {
      server.objects.set(path, { body: Buffer.from('theirs'), etag: '"0"', metadata: {} });
      return false;
    });
    await using opened = await openTestStore(server.endpoint);
    await expect(writeArchive(opened.store, { path, bytes })).rejects.toMatchObject({
      exitCode: 8,
      message: `s3://bucket/${path} appeared while the archive was written, and is not overwritten`,
    });
    expect(String(server.objects.get(path)?.body)).toBe('theirs');
    expect(server.uploads.size).toBe(0);
  });

  test('a key that may write, and neither read nor list, backs up', async () => {
    const hidden = ['HeadObject', 'GetObject', 'HeadBucket', 'ListObjectsV2'];
    server.fault = (exchange) => hidden.includes(exchange.operation) && refuse(exchange, 403, 'AccessDenied');
    await using opened = await openTestStore(server.endpoint);
    const { store, warnings } = opened;
    await writeArchive(store, { path, bytes });
    expect(server.objects.get(path)?.body.equals(bytes)).toBe(true);
    expect(warnings).toEqual([expect.stringMatching(/no right to read it, so its size cannot be checked$/)]);
    await expect(writeArchive(store, { path, bytes })).rejects.toMatchObject({
      message: `s3://bucket/${path} appeared while the archive was written, and is not overwritten`,
    });
    const denied = { exitCode: 2, message: expect.stringContaining('access denied') as unknown };
    await expect(store.openInput(path)).rejects.toMatchObject(denied);
    await expect(store.list('')).rejects.toMatchObject(denied);
    expect(server.uploads.size).toBe(0);
  });

  test('object lock: what is asked for, and a bucket without it', async () => {
    await using opened = await openTestStore(server.endpoint, { objectLockDays: 3 });
    let until = 0;
    const md5s: (string | string[] | undefined)[] = [];
    server.fault = ({ operation, request: { headers } }) => {
      if (operation === 'UploadPart') md5s.push(headers['content-md5']);
      if (operation !== 'CreateMultipartUpload') return false;
      expect(headers['x-amz-object-lock-mode']).toBe('GOVERNANCE');
      until = Date.parse(String(headers['x-amz-object-lock-retain-until-date']));
      return false;
    };
    await writeArchive(opened.store, { path, bytes });
    expect((until - Date.now()) / 86_400_000).toBeCloseTo(3, 1);
    expect(md5s).toEqual(Array(3).fill(expect.stringMatching(/^.{22}==$/)));
    server.objects.clear();
    server.fault = on('CreateMultipartUpload', refusal(400, 'InvalidRequest'));
    expect(await failedWrite({ objectLockDays: 3 })).toMatchObject({
      exitCode: 8,
      message: expect.stringMatching(/it refuses object lock \(InvalidRequest\).*--s3-object-lock-days/),
    });
  });

  test('an abort ends the upload at once, and removes its parts', async () => {
    await using opened = await openTestStore(server.endpoint);
    const { store, controller } = opened;
    const reason = new Error('interrupted');
    server.fault = on('UploadPart', () => {
      controller.abort(reason);
      return true;
    });
    await expect(writeArchive(store, { path, bytes })).rejects.toBe(reason);
    expect(server.operations.at(-1)).toBe('AbortMultipartUpload');
    expect(server.uploads.size).toBe(0);
  });

  test('a server that is silent at the end is waited for some seconds only, and spoken of', async () => {
    await using opened = await openTestStore(server.endpoint);
    server.fault = on('AbortMultipartUpload', () => true);
    const output = await opened.store.openOutput(path, { force: false });
    await output[Symbol.asyncDispose]();
    expect(opened.warnings).toEqual([
      expect.stringMatching(/cannot be removed: http.* has not answered for 5000 ms; /),
    ]);
  });
});

describe('reading from an S3 that fails', () => {
  beforeEach(async () => {
    await using opened = await openTestStore(server.endpoint);
    await writeArchive(opened.store, { path, bytes });
  });

  /** Gives `count` bytes of what was asked for, and closes the connection. */
  const cutAfter =
    (count: number): Fault =>
    ({ request, response, cut: close }) => {
      const object = server.objects.get(path);
      const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      if (object === undefined || ![undefined, object.etag].includes(request.headers['if-match'])) return false;
      const { body, etag } = object;
      const range = start === 0 ? {} : { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` };
      response.writeHead(start === 0 ? 200 : 206, { etag, 'content-length': body.length - start, ...range });
      const part = body.subarray(start, start + count);
      if (start + count < body.length) response.write(part, close);
      else response.end(part);
      return true;
    };

  test('a body cut again and again is continued where it ended', async () => {
    server.fault = on('GetObject', cutAfter(3_000_000));
    await using opened = await openTestStore(server.endpoint);
    expect((await readAll(await opened.store.openInput(path))).equals(bytes)).toBe(true);
    expect(server.operations.filter((one) => one === 'GetObject').length).toBeGreaterThan(6);
  });

  test('one that never comes further is given up', async () => {
    server.fault = on('GetObject', (exchange) => cutAfter(exchange.request.headers.range ? 0 : 1000)(exchange));
    await using opened = await openTestStore(server.endpoint);
    await expect(readAll(await opened.store.openInput(path))).rejects.toMatchObject({
      exitCode: 2,
      message: `cannot read the archive from s3://bucket/${path}: the connection ends after 1000 of 20971521 bytes, 5 times`,
    });
  });

  test.each([true, false])(
    'an object replaced meanwhile is an error (server that knows If-Match: %s)',
    async (knows) => {
      await using opened = await openTestStore(server.endpoint);
      server.fault = on('GetObject', (exchange) => {
        if (!knows) delete exchange.request.headers['if-match'];
        const isFirst = exchange.request.headers.range === undefined;
        if (!isFirst) server.objects.set(path, { body: Buffer.alloc(bytes.length), etag: '"other"', metadata: {} });
        return isFirst && cutAfter(1000)(exchange);
      });
      await expect(readAll(await opened.store.openInput(path))).rejects.toMatchObject({
        exitCode: 2,
        message: `cannot read the archive from s3://bucket/${path}: it was replaced while it was read`,
      });
    },
  );

  test('a server without ranges', async () => {
    await using opened = await openTestStore(server.endpoint);
    server.fault = on('GetObject', (exchange) => {
      if (exchange.count === 1) return cutAfter(1000)(exchange);
      delete exchange.request.headers.range;
      return false;
    });
    const input = await opened.store.openInput(path);
    await expect(readAll(input)).rejects.toMatchObject({
      message: expect.stringMatching(/gives no part of an object$/),
    });
  });

  test('an abort ends a read that waits', async () => {
    await using opened = await openTestStore(server.endpoint);
    const { store, controller } = opened;
    const reason = new Error('interrupted');
    const input = await store.openInput(path);
    server.fault = on('GetObject', ({ response }) => {
      response.writeHead(200, { etag: server.objects.get(path)?.etag, 'content-length': bytes.length });
      response.write(bytes.subarray(0, 10), () => controller.abort(reason));
      return true;
    });
    await expect(readAll(input)).rejects.toBe(reason);
  });

  test.each<[string, Fault, RegExp]>([
    ['HTML', html, /does not answer as S3 does/],
    ['an unknown key', refusal(403, 'InvalidAccessKeyId'), /check AWS_ACCESS_KEY_ID$/],
    ['a wrong signature', refusal(403, 'SignatureDoesNotMatch'), /check AWS_SECRET_ACCESS_KEY$/],
    ['Glacier', on('GetObject', refusal(403, 'InvalidObjectState')), /archive storage class/],
  ])('%s', async (_, fault, message) => {
    server.fault = fault;
    await using opened = await openTestStore(server.endpoint);
    const failure = opened.store.openInput(path).then(readAll);
    await expect(failure).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
  });
});

describe('small files at an S3 that fails', () => {
  test('a write whose answer is lost is known by its marker', async () => {
    server.fault = on('PutObject', (exchange) => {
      if (exchange.count > 1) return false;
      exchange.response.end = ((): unknown => exchange.cut()) as never;
      exchange.proceed();
      return true;
    });
    await using opened = await openTestStore(server.endpoint);
    expect(await opened.store.writeText('lock', 'mine', { replaces: false })).toBe(true);
    expect(await opened.store.writeText('lock', 'other', { replaces: false })).toBe(false);
  });

  test('without If-None-Match at the server', async () => {
    server.fault = on('PutObject', (exchange) => {
      const isConditional = exchange.request.headers['if-none-match'] !== undefined;
      return isConditional && refuse(exchange, 501, 'NotImplemented');
    });
    await using opened = await openTestStore(server.endpoint);
    expect(await opened.store.writeText('lock', 'mine', { replaces: false })).toBe(true);
    expect(await opened.store.writeText('lock', 'other', { replaces: false })).toBe(false);
    expect(await opened.store.readText('lock')).toBe('mine');
  });

  test('all pages of a list', async () => {
    server.fault = on('ListObjectsV2', ({ response, query }) => {
      const page = Number(query.get('continuation-token') ?? 0);
      const more = page < 2 ? `<NextContinuationToken>${page + 1}</NextContinuationToken>` : '';
      const entry = `<Key>d/${page}</Key><Size>1</Size><LastModified>2026-11-26T00:00:00.000Z</LastModified>`;
      const all = `<IsTruncated>${page < 2}</IsTruncated>${more}<Contents>${entry}</Contents>`;
      response.writeHead(200).end(`<ListBucketResult>${all}</ListBucketResult>`);
      return true;
    });
    await using opened = await openTestStore(server.endpoint);
    expect((await opened.store.list('d/')).map((file) => file.path)).toEqual(['d/0', 'd/1', 'd/2']);
  });
});

describe('an S3 that cannot be reached', () => {
  const failure = async (endpoint: string, settings: Partial<S3Settings> = {}): Promise<unknown> => {
    await using opened = await openTestStore(endpoint, settings);
    return await opened.store.openInput(path).catch((error: unknown) => error);
  };

  test('nobody listens', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as { port: number };
    closed.close();
    await once(closed, 'close');
    expect(await failure(`http://127.0.0.1:${port}`)).toMatchObject({
      exitCode: 2,
      message: `cannot read the archive from s3://bucket/a.tar: http://127.0.0.1:${port}: the connection is refused`,
    });
  });

  test('it speaks something else than HTTP', async () => {
    await using odd = await startLocalServer((client) => client.end('220 mail.example ESMTP\r\n'));
    expect(await failure(`http://127.0.0.1:${odd.port}`)).toMatchObject({ name: 'JobError', exitCode: 2 });
  });

  test('its certificate is of an unknown authority, unless it is given', async () => {
    const authority = createAuthority('test');
    const tls = authority.issue({ commonName: 'localhost', ipAddresses: ['127.0.0.1'] });
    await using secure = await startScriptedS3({ tls });
    expect(await failure(secure.endpoint)).toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/its certificate is of an unknown authority: .*--s3-ca$/),
    });
    await using opened = await openTestStore(secure.endpoint, { ca: authority.certPem });
    await writeArchive(opened.store, { path, bytes });
    expect(secure.objects.get(path)?.body.equals(bytes)).toBe(true);
    expect((await readAll(await opened.store.openInput(path))).equals(bytes)).toBe(true);
  });

  test('no credentials, or half of them', async () => {
    const none = { accessKeyId: undefined, secretAccessKey: undefined };
    Object.assign(process.env, { AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_CONFIG_FILE: '/dev/null' });
    expect(await failure(server.endpoint, none)).toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY$/),
    });
    const half = openTestStore(server.endpoint, { ...none, secretAccessKey: new Secret(testSecret) });
    await expect(half).rejects.toMatchObject({ exitCode: 2, message: /without AWS_ACCESS_KEY_ID/ });
  });
});
