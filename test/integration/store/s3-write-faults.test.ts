import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { JobError } from '#src/base/errors.js';
import type { S3Settings } from '#src/store/s3/s3-store.js';
import { html, on, refusal } from '../../support/store/s3-faults.js';
import { isFull } from '../../support/scale.js';
import { startScriptedS3, type Fault, type ScriptedS3 } from '../../support/store/scripted-s3.js';
import { archiveOfThreeParts, openTestStore, testSecret, writeArchive } from '../../support/store/s3-under-test.js';

const path = 'a.tar';
const bytes = archiveOfThreeParts();

let server: ScriptedS3;
beforeEach(async () => {
  server = await startScriptedS3();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

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
  // An Error's message would not be shown.
  return failure instanceof JobError ? { exitCode: failure.exitCode, message: failure.message } : failure;
}

const unceasing: [string, Fault, RegExp] = [
  'unceasing SlowDown',
  on('UploadPart', refusal(503, 'SlowDown')),
  /the server is overloaded, also after several/,
];

describe('writing to an S3 that fails', () => {
  test.each<[string, Fault, RegExp]>([
    ['HTML instead of S3', html, /does not answer as S3 does \(.*\): check --s3-endpoint$/],
    ['HTML instead of an upload', on('CreateMultipartUpload', html), /does not answer as S3 does \(/],
    ['HTML instead of a part', on('UploadPart', html), /does not answer as S3 does \(a part without an ETag\)/],
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
    // The SDK's own pauses take some fifteen seconds.
    ...(isFull ? [unceasing] : []),
  ])('%s', async (_, fault, message) => {
    server.fault = fault;
    expect(await failedWrite()).toMatchObject({
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
      message: expect.stringMatching(/it refuses object lock \(InvalidRequest\).*--object-lock-days/),
    });
  });
});
