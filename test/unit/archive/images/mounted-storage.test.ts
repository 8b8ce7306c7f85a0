// A mounted storage, walked: what kinds of things there are, and what is gone by the time the walk comes to it.
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isDirectory, walkMountedStorage, type MountedItem } from '#src/archive/images/mounted-storage.js';
import { ExitCode } from '#src/base/exit-codes.js';

let storage: string;

beforeEach(() => {
  storage = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
});
afterEach(() => rmSync(storage, { recursive: true, force: true }));

/** Every step in words, with `change` made after the step that is called so. */
function walk(change: Readonly<Record<string, () => void>> = {}): string[] {
  const steps: string[] = [];
  for (const item of walkMountedStorage(storage)) {
    const step = inWords(item);
    steps.push(step);
    change[step]?.();
  }
  return steps;
}

function inWords(item: MountedItem): string {
  if (item.kind !== 'entry') return `${item.kind} ${item.path}`;
  const { type, path, target } = item.entry;
  const content = Buffer.concat([...item.body].map((piece) => Buffer.from(piece))).toString();
  return [type, path, target, content].filter((word) => word !== '').join(' ');
}

test('files, links of both kinds, directories; sockets, devices and FIFOs are left out', () => {
  writeFileSync(join(storage, 'a'), 'text');
  mkdirSync(join(storage, 'd'));
  symlinkSync('nowhere', join(storage, 's'));
  execFileSync('mkfifo', [join(storage, 'p')]);
  expect(walk().sort()).toEqual(['directory', 'directory d', 'file a text', 'leftOut p', 'symlink s nowhere']);
});

test('a second name of a file is a link to the first', () => {
  writeFileSync(join(storage, 'a'), 'text');
  linkSync(join(storage, 'a'), join(storage, 'b'));
  const [, first = '', second = ''] = walk();
  const [, name = ''] = /^file (\w) text$/.exec(first) ?? [];
  expect(second).toBe(`link ${name === 'a' ? 'b' : 'a'} ${name}`);
});

test('blobs come after the repositories that name them', () => {
  for (const name of ['blobs/b', 'repositories/r']) {
    mkdirSync(join(storage, 'docker/registry/v2', name), { recursive: true });
  }
  const steps = walk();
  expect(steps.slice(-2)).toEqual(['directory docker/registry/v2/blobs', 'directory docker/registry/v2/blobs/b']);
});

test('what is removed before the walk comes to it has vanished', () => {
  for (const name of ['a', 'b']) writeFileSync(join(storage, name), '');
  const remove = (name: string) => (): void => rmSync(join(storage, name));
  const steps = walk({ 'file a': remove('b'), 'file b': remove('a') });
  expect([
    ['directory', 'file a', 'vanished b'],
    ['directory', 'file b', 'vanished a'],
  ]).toContainEqual(steps);
});

test('a storage that is gone is a failure, not an empty one', () => {
  rmSync(storage, { recursive: true });
  expect(() => walk()).toThrow(expect.objectContaining({ exitCode: ExitCode.replica }));
});

test('a time before 1970 has its sign and its fraction', () => {
  writeFileSync(join(storage, 'old'), '');
  execFileSync('touch', ['--date', '@-86400.25', join(storage, 'old')]);
  const times = [...walkMountedStorage(storage)].flatMap((item) => (item.kind === 'entry' ? [item.entry] : []));
  expect(times.find(({ path }) => path === 'old')?.mtime).toBe('-86400.25');
});

test('whether there is a directory is told from there being nothing', () => {
  writeFileSync(join(storage, 'file'), '');
  expect(['', 'file', 'nothing', 'file/below'].map((name) => isDirectory(join(storage, name)))).toEqual([
    true,
    false,
    undefined,
    undefined,
  ]);
});

describe('left out, with the reason, is', () => {
  const reasons = (): Record<string, string> =>
    Object.fromEntries(
      [...walkMountedStorage(storage)].flatMap((item) => (item.kind === 'leftOut' ? [[item.path, item.why]] : [])),
    );

  test('a name with a backslash, and all that is below it', () => {
    mkdirSync(join(storage, 'a\\b/c'), { recursive: true });
    expect(reasons()).toEqual({ 'a\\b': 'has a backslash in its name' });
  });

  test('a name, or the target of a link, that is not UTF-8', () => {
    writeFileSync(Buffer.concat([Buffer.from(`${storage}/x`), Buffer.from([0xff])]), '');
    symlinkSync(Buffer.from([0x6e, 0xff]), join(storage, 's'));
    expect(reasons()).toEqual({
      'x\ufffd': 'has a name that is not UTF-8',
      s: 'links to a name that is not UTF-8',
    });
  });
});

test('a link that leads to itself is no directory, and no answer', () => {
  symlinkSync('loop', join(storage, 'loop'));
  expect(() => isDirectory(join(storage, 'loop/below'))).toThrow(
    expect.objectContaining({ exitCode: ExitCode.replica, message: expect.stringContaining('ELOOP') as unknown }),
  );
});
