import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Secret } from '#src/base/secret.js';

import { maxTextBytes } from '#src/store/store.js';
import {
  archiveOfThreeParts,
  openTestStore,
  readAll,
  writeArchive,
  type OpenedStore,
} from '../../support/store/s3-under-test.js';
import { runChild } from '../../support/store/s3-child.js';
import { isFull, scaled } from '../../support/scale.js';
import { startS3rver, type S3rver } from '../../support/store/s3rver.js';

describe('the S3 store on s3rver', () => {
  let server: S3rver;
  beforeAll(async () => {
    server = await startS3rver();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  const open = (bucket?: string): Promise<OpenedStore> =>
    openTestStore(server.endpoint, { secretAccessKey: new Secret(server.secretAccessKey) }, bucket);

  test.each([
    ['a small archive', () => randomBytes(10_001)],
    ['one of exactly one part', () => randomBytes(8 * 1024 * 1024)],
    ['one of three parts', archiveOfThreeParts],
  ])('%s comes back as it was written, more than once', async (name, bytesOf) => {
    await using opened = await open();
    const { store, warnings } = opened;
    const bytes = bytesOf();
    const path = `archives/${name}.tar`;
    await writeArchive(store, { path, bytes });
    await using input = await store.openInput(path);
    expect(input.sizeBytes).toBe(bytes.length);
    expect(input.name).toBe(`s3://bucket/${path}`);
    expect((await readAll(input)).equals(bytes)).toBe(true);
    const again = input.again?.();
    expect(again && (await readAll(again)).equals(bytes)).toBe(true);
    expect(warnings).toEqual([]);
  });

  test('nothing is there before the commit', async () => {
    await using opened = await open();
    const { store } = opened;
    await using output = await store.openOutput('early.tar', { force: false });
    await output.write(archiveOfThreeParts());
    await expect(store.openInput('early.tar')).rejects.toMatchObject({
      exitCode: 2,
      message: 'cannot read the archive from s3://bucket/early.tar: no such object',
    });
    await output.commit();
    await expect(store.openInput('early.tar')).resolves.toBeDefined();
  });

  test('an archive is overwritten only with force', async () => {
    await using opened = await open();
    const { store } = opened;
    const [older, newer] = [randomBytes(100), randomBytes(200)];
    await writeArchive(store, { path: 'kept.tar', bytes: older });
    const refusal = { exitCode: 8, message: 's3://bucket/kept.tar exists and is never overwritten without --force' };
    await expect(store.assertFree('kept.tar', { force: false })).rejects.toMatchObject(refusal);
    await expect(store.openOutput('kept.tar', { force: false })).rejects.toMatchObject(refusal);
    expect(await readAll(await store.openInput('kept.tar'))).toEqual(older);
    await writeArchive(store, { path: 'kept.tar', bytes: newer, force: true });
    expect(await readAll(await store.openInput('kept.tar'))).toEqual(newer);
  });

  test('one that appears meanwhile is not overwritten', async () => {
    await using opened = await open();
    const { store } = opened;
    await using output = await store.openOutput('raced.tar', { force: false });
    await output.write(Buffer.from('mine'));
    await writeArchive(store, { path: 'raced.tar', bytes: Buffer.from('theirs') });
    await expect(output.commit()).rejects.toMatchObject({
      exitCode: 8,
      message: 's3://bucket/raced.tar appeared while the archive was written, and is not overwritten',
    });
    expect(String(await readAll(await store.openInput('raced.tar')))).toBe('theirs');
  });

  test('what does not pass its check disappears again', async () => {
    await using opened = await open();
    const { store } = opened;
    const bytes = archiveOfThreeParts();
    let seen: Buffer | undefined;
    const verifyArchive = async (openIt: () => Promise<Parameters<typeof readAll>[0]>): Promise<void> => {
      seen = await readAll(await openIt());
      throw new Error('not good');
    };
    await expect(writeArchive(store, { path: 'bad.tar', bytes, verifyArchive })).rejects.toThrow('not good');
    expect(seen?.equals(bytes)).toBe(true);
    expect(await store.list('')).not.toContainEqual(expect.objectContaining({ path: 'bad.tar' }));
  });

  test('parts that the server does not remove are spoken of', async () => {
    await using opened = await open();
    const { store, warnings } = opened;
    {
      await using output = await store.openOutput('dropped.tar', { force: false });
      await output.write(archiveOfThreeParts());
    }
    expect(warnings).toEqual([
      expect.stringMatching(/^what was sent of s3:\/\/bucket\/dropped\.tar cannot be removed: /),
    ]);
    expect(readdirSync(join(server.directory, 'bucket'))).not.toContainEqual(expect.stringContaining('dropped'));
  });

  test('lists the files of a directory, and no deeper ones', async () => {
    await using opened = await open();
    const { store } = opened;
    const names = Array.from({ length: 5 }, (_, index) => `listed/${index}.tar`);
    for (const path of [...names, 'listed/deep/x.tar', 'listedtoo.tar'])
      await store.writeText(path, 'x', { replaces: true });
    const files = await store.list('listed/');
    expect(files.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual(names.map((path) => [path, 1]));
    expect(files.every(({ modifiedAt }) => Math.abs(Date.now() - modifiedAt.getTime()) < 600_000)).toBe(true);
    expect(await store.list('nothing/')).toEqual([]);
  });

  test('small files are written, read, kept and removed', async () => {
    await using opened = await open();
    const { store } = opened;
    expect(await store.readText('lock')).toBeUndefined();
    expect(await store.writeText('lock', 'first ü', { replaces: false })).toBe(true);
    expect(await store.writeText('lock', 'second', { replaces: false })).toBe(false);
    expect(await store.readText('lock')).toBe('first ü');
    expect(await store.writeText('lock', 'third', { replaces: true })).toBe(true);
    expect(await store.readText('lock')).toBe('third');
    await store.remove('lock');
    await store.remove('lock');
    expect(await store.readText('lock')).toBeUndefined();
    await store.writeText('long', 'x'.repeat(maxTextBytes + 1), { replaces: true });
    await expect(store.readText('long')).rejects.toMatchObject({ exitCode: 2 });
  });

  test('odd names', async () => {
    await using opened = await open();
    const { store } = opened;
    const path = "odd/ü ~'()*+&=?#%41.tar";
    await writeArchive(store, { path, bytes: Buffer.from('odd') });
    expect(String(await readAll(await store.openInput(path)))).toBe('odd');
    expect(await store.list('odd/')).toEqual([expect.objectContaining({ path, sizeBytes: 3 })]);
    for (const name of ['', 'directory/']) {
      await expect(store.assertFree(name, { force: false })).rejects.toMatchObject({ exitCode: 8 });
      await expect(store.openInput(name)).rejects.toMatchObject({ exitCode: 2 });
    }
  });

  test('no such bucket', async () => {
    await using opened = await open('nowhere');
    const { store } = opened;
    const why = /s3:\/\/nowhere\/\S*: there is no such bucket$/;
    await expect(store.assertFree('a.tar', { force: false })).rejects.toMatchObject({
      exitCode: 8,
      message: expect.stringMatching(why),
    });
    await expect(store.openOutput('a.tar', { force: true })).rejects.toMatchObject({
      exitCode: 8,
      message: expect.stringMatching(why),
    });
    await expect(store.openInput('a.tar')).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(why) });
    await expect(store.list('')).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(why) });
  });

  test('an unknown key names the variable, and is not printed', async () => {
    await using opened = await openTestStore(server.endpoint, { accessKeyId: 'wrong-id' });
    const failure = await opened.store.openOutput('a.tar', { force: false }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ exitCode: 8, message: expect.stringContaining('check AWS_ACCESS_KEY_ID') });
    expect(String(failure)).not.toContain('wrong-');
  });

  test('a large archive takes little memory', async () => {
    const call = { endpoint: server.endpoint, sizeBytes: scaled(256, 2048) * 1024 * 1024 };
    const written = await runChild({ ...call, action: 'write' });
    expect(written).toMatchObject({ exitCode: 0, message: '', bytes: call.sizeBytes });
    const read = await runChild({ ...call, action: 'read' });
    expect(read).toMatchObject({ exitCode: 0, message: '', bytes: call.sizeBytes });
    expect(Math.max(written.memoryBytes, read.memoryBytes)).toBeLessThan(192 * 1024 * 1024);
    if (isFull) console.info(`peak memory: ${written.memoryBytes} to write, ${read.memoryBytes} to read`);
  });
});
