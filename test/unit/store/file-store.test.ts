import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openFileStore } from '#src/store/file-store.js';
import { maxTextBytes } from '#src/store/store.js';

const store = openFileStore({ signal: new AbortController().signal, warn: () => undefined });
let directory: string;
const path = (name: string): string => join(directory, name);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('a list', () => {
  test('has the regular files of the directory alone, in order', async () => {
    writeFileSync(path('b.tar'), '12345');
    writeFileSync(path('a.tar'), '');
    mkdirSync(path('c.tar'));
    symlinkSync(path('b.tar'), path('d.tar'));
    const files = await store.list(`${directory}/`);
    expect(files.map((file) => [file.path, file.sizeBytes])).toEqual([
      [path('a.tar'), 0],
      [path('b.tar'), 5],
    ]);
  });

  test('of what is no directory ends with 2', async () => {
    await expect(store.list(`${directory}/none/`)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^cannot list/) as unknown,
    });
  });
});

describe('a small file', () => {
  test('is written whole, and read again', async () => {
    expect(await store.writeText(path('a.json'), 'é', { replaces: false })).toBe(true);
    expect(await store.readText(path('a.json'))).toBe('é');
    expect(readdirSync(directory)).toEqual(['a.json']);
  });

  test('is replaced only where that is said', async () => {
    writeFileSync(path('a.json'), 'old');
    expect(await store.writeText(path('a.json'), 'new', { replaces: false })).toBe(false);
    expect(readFileSync(path('a.json'), 'utf8')).toBe('old');
    expect(await store.writeText(path('a.json'), 'new', { replaces: true })).toBe(true);
    expect(readFileSync(path('a.json'), 'utf8')).toBe('new');
    expect(readdirSync(directory)).toEqual(['a.json']);
  });

  test('that is not there is undefined; one that is large, or a directory, ends with 2', async () => {
    expect(await store.readText(path('none'))).toBeUndefined();
    writeFileSync(path('large'), Buffer.alloc(maxTextBytes + 1));
    await expect(store.readText(path('large'))).rejects.toMatchObject({ exitCode: 2 });
    await expect(store.readText(directory)).rejects.toMatchObject({ exitCode: 2 });
  });

  test('that cannot be written ends with 8', async () => {
    await expect(store.writeText(path('no/a.json'), '', { replaces: true })).rejects.toMatchObject({
      exitCode: 8,
      message: expect.stringMatching(/^cannot write a file to .*: no such directory$/) as unknown,
    });
  });
});

test('a file is removed; one that is not there is no error; a directory ends with 8', async () => {
  writeFileSync(path('a'), '');
  await store.remove(path('a'));
  await store.remove(path('a'));
  expect(readdirSync(directory)).toEqual([]);
  await expect(store.remove(directory)).rejects.toMatchObject({ exitCode: 8 });
});
