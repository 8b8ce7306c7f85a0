import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { html, on, refusal } from '../../support/store/s3-faults.js';
import { refuse, startScriptedS3, type Fault, type ScriptedS3 } from '../../support/store/scripted-s3.js';
import { archiveOfThreeParts, openTestStore, readAll, writeArchive } from '../../support/store/s3-under-test.js';

const path = 'a.tar';
const bytes = archiveOfThreeParts();

let server: ScriptedS3;
beforeEach(async () => {
  server = await startScriptedS3();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
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
    let isFirst = true;
    server.fault = on('GetObject', (exchange) => {
      if (isFirst) {
        isFirst = false;
        return cutAfter(1000)(exchange);
      }
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
