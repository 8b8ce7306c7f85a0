import { randomBytes } from 'node:crypto';
import { ListMultipartUploadsCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Secret } from '#src/base/secret.js';
import {
  archiveOfThreeParts,
  openTestStore,
  readAll,
  writeArchive,
  type OpenedStore,
} from '../../support/store/s3-under-test.js';
import { startSwift, swiftMissing, type SwiftServer } from '../../support/store/swift-server.js';

const describeSwift = swiftMissing() === undefined ? describe : describe.skip;

describeSwift('the S3 store on OpenStack Swift', () => {
  let server: SwiftServer;
  beforeAll(async () => {
    server = await startSwift();
    await server.createBucket('bucket');
    await server.createBucket('versioned', { isVersioned: true });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  const open = (bucket = 'bucket'): Promise<OpenedStore> => {
    const { accessKeyId, secretAccessKey } = server;
    return openTestStore(server.endpoint, { accessKeyId, secretAccessKey: new Secret(secretAccessKey) }, bucket);
  };
  const unfinishedUploads = async (bucket = 'bucket'): Promise<number> => {
    const { Uploads = [] } = await server.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    return Uploads.length;
  };

  test.each([
    ['a small archive', () => randomBytes(10_001)],
    ['one of three parts', archiveOfThreeParts],
  ])('%s comes back as it was written', async (name, bytesOf) => {
    await using opened = await open();
    const { store, warnings } = opened;
    const bytes = bytesOf();
    const verified: Buffer[] = [];
    const verifyArchive = async (openIt: Parameters<typeof collect>[0]): Promise<void> => {
      verified.push(await collect(openIt));
    };
    await writeArchive(store, { path: `d/${name}.tar`, bytes, verifyArchive });
    await using input = await store.openInput(`d/${name}.tar`);
    expect(input.sizeBytes).toBe(bytes.length);
    expect((await readAll(input)).equals(bytes)).toBe(true);
    expect(verified.map((one) => one.equals(bytes))).toEqual([true]);
    expect(await store.list('d/')).toContainEqual(expect.objectContaining({ sizeBytes: bytes.length }));
    expect(warnings).toEqual([]);
  });

  test('an upload that is discarded leaves neither object nor parts', async () => {
    await using opened = await open();
    {
      await using output = await opened.store.openOutput('dropped.tar', { force: false });
      await output.write(archiveOfThreeParts());
      expect(await unfinishedUploads()).toBe(1);
    }
    expect(await unfinishedUploads()).toBe(0);
    await expect(opened.store.openInput('dropped.tar')).rejects.toMatchObject({ exitCode: 2 });
    expect(opened.warnings).toEqual([]);
  });

  test('one that appears meanwhile is not overwritten', async () => {
    await using opened = await open();
    const { store } = opened;
    await using output = await store.openOutput('raced.tar', { force: false });
    await output.write(Buffer.from('mine'));
    await writeArchive(store, { path: 'raced.tar', bytes: Buffer.from('theirs') });
    await expect(output.commit()).rejects.toMatchObject({ exitCode: 8 });
    expect(String(await readAll(await store.openInput('raced.tar')))).toBe('theirs');
  });

  test('with versions, only the one that does not pass its check is removed', async () => {
    await using opened = await open('versioned');
    const { store } = opened;
    await writeArchive(store, { path: 'v.tar', bytes: Buffer.from('good') });
    const verifyArchive = (): Promise<void> => Promise.reject(new Error('not good'));
    const bad = writeArchive(store, { path: 'v.tar', bytes: Buffer.from('worse'), force: true, verifyArchive });
    await expect(bad).rejects.toThrow('not good');
    // Unlike Amazon S3, Swift does not make the version before a multipart object current again.
    const answer = await server.client.send(new ListObjectVersionsCommand({ Bucket: 'versioned' }));
    expect(answer.Versions).toEqual([expect.objectContaining({ Key: 'v.tar', Size: 'good'.length })]);
    expect(answer.DeleteMarkers).toBeUndefined();
    expect(opened.warnings).toEqual([]);
  });

  test('small files', async () => {
    await using opened = await open();
    const { store } = opened;
    expect(await store.readText('lock')).toBeUndefined();
    expect(await store.writeText('lock', 'first', { replaces: false })).toBe(true);
    expect(await store.writeText('lock', 'second', { replaces: false })).toBe(false);
    expect(await store.writeText('lock', 'third', { replaces: true })).toBe(true);
    expect(await store.readText('lock')).toBe('third');
    await store.remove('lock');
    await store.remove('lock');
    expect(await store.readText('lock')).toBeUndefined();
  });

  test('wrong keys and a bucket that does not exist', async () => {
    const { endpoint, accessKeyId } = server;
    const wrong = { accessKeyId, secretAccessKey: new Secret('wrong-secret') };
    await using denied = await openTestStore(endpoint, wrong);
    const failure = await denied.store.openOutput('a.tar', { force: false }).then(String, (error: unknown) => error);
    expect(failure).toMatchObject({
      exitCode: 8,
      message: expect.stringContaining('AWS_SECRET_ACCESS_KEY') as unknown,
    });
    expect(String(failure)).not.toContain('wrong-secret');
    await using nowhere = await open('nowhere');
    const why = { message: expect.stringMatching(/: there is no such bucket$/) as unknown };
    await expect(nowhere.store.openOutput('a.tar', { force: false })).rejects.toMatchObject({ exitCode: 8, ...why });
    await expect(nowhere.store.openInput('a.tar')).rejects.toMatchObject({ exitCode: 2, ...why });
  });
});

async function collect(openIt: () => Promise<Parameters<typeof readAll>[0]>): Promise<Buffer> {
  return readAll(await openIt());
}
