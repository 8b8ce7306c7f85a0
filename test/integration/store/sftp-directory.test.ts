// The SFTP store against OpenSSH's own server: lists, small texts, and removing.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { maxTextBytes, type Store } from '#src/store/store.js';
import { openStore, sftpSettings, type OpenedStore } from '../../support/store/sftp-client.js';
import { hasSshServer, startSshServer, type SshServer } from '../../support/store/ssh-server.js';

const describeWithServer = hasSshServer() ? describe : describe.skip;

describeWithServer('a directory of the SFTP store', () => {
  let server: SshServer;
  let opened: OpenedStore;
  let store: Store;
  let directory: string;
  let path: string;
  beforeAll(async () => {
    server = await startSshServer();
  });
  afterAll(async () => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    directory = join(server.directory, randomBytes(4).toString('hex'));
    mkdirSync(directory);
    path = join(directory, 'a.tar');
    opened = await openStore(server, sftpSettings(server));
    store = opened.store;
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  const url = (of: string): string => `sftp://127.0.0.1:${server.port}${of}`;
  const fails = (exitCode: number, message: string | RegExp): object => ({
    name: 'JobError',
    exitCode,
    message: typeof message === 'string' ? message : (expect.stringMatching(message) as unknown),
  });

  test('lists files in order of their paths, and nothing else', async () => {
    for (const name of ['b.tar', 'a.tar', 'B.tar']) writeFileSync(join(directory, name), name);
    mkdirSync(join(directory, 'sub'));
    writeFileSync(join(directory, 'sub/c.tar'), '');
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    const files = await store.list(`${directory}/`);
    expect(files.map((file) => file.path)).toEqual(['B.tar', 'a.tar', 'b.tar'].map((name) => join(directory, name)));
    expect(files[1]).toEqual({ path, sizeBytes: 5, modifiedAt: new Date(1_700_000_000_000) });
  });

  test('keeps small texts', async () => {
    expect(await store.readText(path)).toBeUndefined();
    expect(await store.writeText(path, 'é', { replaces: false })).toBe(true);
    expect(await store.writeText(path, 'other', { replaces: false })).toBe(false);
    expect(await store.readText(path)).toBe('é');
    expect(await store.writeText(path, 'new', { replaces: true })).toBe(true);
    expect(await store.readText(path)).toBe('new');
    writeFileSync(path, Buffer.alloc(maxTextBytes, 'x'));
    expect(await store.readText(path)).toHaveLength(maxTextBytes);
    writeFileSync(path, Buffer.alloc(maxTextBytes + 1));
    await expect(store.readText(path)).rejects.toMatchObject(
      fails(2, /^cannot read .*: it has more than 1048576 bytes$/),
    );
    expect(readdirSync(directory)).toEqual(['a.tar']);
  });

  test('of several that write the same text at once, one wins', async () => {
    const won = await Promise.all(
      Array.from({ length: 8 }, (_, index) => store.writeText(path, String(index), { replaces: false })),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await store.readText(path)).toBe(String(won.indexOf(true)));
    expect(readdirSync(directory)).toEqual(['a.tar']);
  });

  test('removes files, also those that are not there', async () => {
    writeFileSync(path, '');
    await store.remove(path);
    await store.remove(path);
    expect(readdirSync(directory)).toEqual([]);
    mkdirSync(join(directory, 'sub'));
    await expect(store.remove(join(directory, 'sub'))).rejects.toMatchObject(fails(8, /^cannot remove /));
  });

  test('a path may be relative to the own directory of the user', async () => {
    const name = `dtr-backup-test-${randomBytes(4).toString('hex')}`;
    expect(store.nameOf(name)).toBe(url(`/~/${name}`));
    expect(await store.writeText(name, 'x', { replaces: false })).toBe(true);
    try {
      expect((await store.list('')).map((file) => file.path)).toContain(name);
    } finally {
      await store.remove(name);
    }
    expect(await store.readText(name)).toBeUndefined();
  });
});
