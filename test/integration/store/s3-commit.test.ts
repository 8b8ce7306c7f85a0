import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { cut, on } from '../../support/store/s3-faults.js';
import { refuse, startScriptedS3, type Fault, type ScriptedS3 } from '../../support/store/scripted-s3.js';
import { archiveOfThreeParts, openTestStore, writeArchive } from '../../support/store/s3-under-test.js';

const path = 'a.tar';
const bytes = archiveOfThreeParts();

let server: ScriptedS3;
beforeEach(async () => {
  server = await startScriptedS3();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

describe('writing to an S3 that does what no other does', () => {
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

  test('an abort while the server completes the upload removes what it made', async () => {
    await using opened = await openTestStore(server.endpoint);
    const { store, controller, warnings } = opened;
    const reason = new Error('interrupted');
    server.fault = on('CompleteMultipartUpload', (exchange) => {
      exchange.response.end = ((): unknown => controller.abort(reason)) as never;
      exchange.proceed();
      return true;
    });
    await expect(writeArchive(store, { path, bytes })).rejects.toBe(reason);
    expect(server.operations.at(-1)).toBe('DeleteObject');
    expect(server.objects.size).toBe(0);
    expect(warnings).toEqual([]);
  });

  test('what was to be read back, and may not be, is removed', async () => {
    server.fault = (exchange) =>
      ['HeadObject', 'GetObject'].includes(exchange.operation) && refuse(exchange, 403, 'AccessDenied');
    await using opened = await openTestStore(server.endpoint);
    const verifyArchive = (): Promise<void> => Promise.resolve();
    await expect(writeArchive(opened.store, { path, bytes, verifyArchive })).rejects.toMatchObject({
      exitCode: 8,
      message: expect.stringMatching(/cannot be read back: the access key has no right to read it$/) as unknown,
    });
    expect(server.objects.size).toBe(0);
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
