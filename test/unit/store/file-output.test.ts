import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openFileOutput } from '#src/store/file-output.js';
import { until } from '../../support/until.js';

describe('--output FILE', () => {
  const { signal } = new AbortController();
  let warnings: string[];
  const warn = (message: string): void => void warnings.push(message);
  let directory: string;
  let path: string;
  beforeEach(() => {
    warnings = [];
    directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
    path = join(directory, 'b.tar');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test('appears under its name only when committed, readable by its owner alone', async () => {
    await using output = await openFileOutput(path, { force: false, warn, signal });
    await output.write(Buffer.from('one'));
    await output.write(Buffer.from('two'));
    expect(existsSync(path)).toBe(false);
    await output.commit();
    expect(readFileSync(path, 'utf8')).toBe('onetwo');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['b.tar']);
  });

  test('leaves nothing behind when it is not committed', async () => {
    {
      await using output = await openFileOutput(path, { force: false, warn, signal });
      await output.write(Buffer.from('half'));
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  test('never replaces a file, also one that appeared meanwhile', async () => {
    writeFileSync(path, 'older');
    await expect(openFileOutput(path, { force: false, warn, signal })).rejects.toMatchObject({ exitCode: 8 });
    rmSync(path);
    await using output = await openFileOutput(path, { force: false, warn, signal });
    writeFileSync(path, 'meanwhile');
    await expect(output.commit()).rejects.toMatchObject({ exitCode: 8 });
    expect(readFileSync(path, 'utf8')).toBe('meanwhile');
  });

  test('replaces it with force', async () => {
    writeFileSync(path, 'older');
    await using output = await openFileOutput(path, { force: true, warn, signal });
    await output.write(Buffer.from('new'));
    await output.commit();
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(readdirSync(directory)).toEqual(['b.tar']);
  });

  test.each([true, false])('two runs at one path (force: %s) each write a .part of their own', async (force) => {
    const first = await openFileOutput(path, { force, warn, signal });
    const second = await openFileOutput(path, { force, warn, signal });
    expect(warnings).toEqual([
      expect.stringMatching(/b\.tar\.[0-9a-f]{8}\.part is of a run that was killed, or that is still running/),
    ]);
    await first.write(Buffer.from('first'));
    await second.write(Buffer.from('second'));
    await first.commit();
    expect(readFileSync(path, 'utf8')).toBe('first');
    expect(readdirSync(directory)).toEqual(['b.tar', expect.stringMatching(/^b\.tar\.[0-9a-f]{8}\.part$/)]);
    if (force) await second.commit();
    else await expect(second.commit()).rejects.toMatchObject({ exitCode: 8 });
    await second[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    expect(readFileSync(path, 'utf8')).toBe(force ? 'second' : 'first');
    expect(readdirSync(directory)).toEqual(['b.tar']);
  });

  test('warns of what a killed run left, and neither uses nor removes it', async () => {
    writeFileSync(`${path}.0a1b2c3d.part`, 'of a killed run');
    writeFileSync(`${path}2.0a1b2c3d.part`, 'of another archive');
    await using output = await openFileOutput(path, { force: true, warn, signal });
    await output.commit();
    expect(warnings).toEqual([expect.stringContaining(`${path}.0a1b2c3d.part is of a run`)]);
    expect(readdirSync(directory)).toEqual(['b.tar', 'b.tar.0a1b2c3d.part', 'b.tar2.0a1b2c3d.part']);
  });

  test('a .part that another process replaced is neither renamed nor removed', async () => {
    const output = await openFileOutput(path, { force: true, warn, signal });
    await output.write(Buffer.from('ours'));
    const [part = ''] = readdirSync(directory);
    rmSync(join(directory, part));
    writeFileSync(join(directory, part), 'theirs');
    await expect(output.commit()).rejects.toThrow(/is not the file that was written/);
    await output[Symbol.asyncDispose]();
    expect(readdirSync(directory)).toEqual([part]);
    expect(readFileSync(join(directory, part), 'utf8')).toBe('theirs');
  });

  test('a .part that another process truncated is not renamed', async () => {
    await using output = await openFileOutput(path, { force: false, warn, signal });
    await output.write(Buffer.from('0123456789'));
    truncateSync(join(directory, readdirSync(directory)[0] ?? ''), 4);
    await expect(output.commit()).rejects.toThrow('has 4 bytes on disk instead of 10');
    expect(existsSync(path)).toBe(false);
  });

  test('is not committed once it has been discarded', async () => {
    let goOn: (() => void) | undefined;
    const verifyArchive = (): Promise<void> => new Promise((resolve) => (goOn = resolve));
    const output = await openFileOutput(path, { force: true, warn, signal, verifyArchive });
    const committing = output.commit();
    await until('it is proved', () => goOn !== undefined);
    await output[Symbol.asyncDispose]();
    goOn?.();
    await expect(committing).rejects.toMatchObject({ exitCode: 8 });
    expect(readdirSync(directory)).toEqual([]);
  });

  describe.each([true, false])('with force: %s, is refused before anything is written, and left as it is:', (force) => {
    const refusalOf = async (name: string): Promise<string> => {
      const error: unknown = await openFileOutput(join(directory, name), { force, warn, signal }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ exitCode: 8 });
      expect(readdirSync(directory).filter((left) => left.endsWith('.part'))).toEqual([]);
      return (error as Error).message;
    };

    test('a directory', async () => {
      mkdirSync(path);
      expect(await refusalOf('b.tar')).toBe(`${path} is a directory: name a file in it`);
      expect(await refusalOf('b.tar/')).toContain('is not the name of a file');
    });

    test.each(['target', 'nowhere'])('a symbolic link to %s', async (target) => {
      writeFileSync(join(directory, 'target'), 'precious');
      symlinkSync(target, path);
      expect(await refusalOf('b.tar')).toBe(
        `${path} is a symbolic link to ${target}, and would be replaced: name the file itself`,
      );
      expect(readFileSync(join(directory, 'target'), 'utf8')).toBe('precious');
    });

    test('a FIFO', async () => {
      execFileSync('mkfifo', [path]);
      expect(await refusalOf('b.tar')).toContain('is a FIFO: leave --output out, and redirect stdout to it');
      expect(lstatSync(path).isFIFO()).toBe(true);
    });

    test('a device', async () => {
      expect(await refusalOf('../../dev/full')).toContain('is a device: leave --output out');
    });
  });

  test('a directory that cannot be read is a warning, once the archive is there', async () => {
    const user = process.geteuid?.() === 0 ? 65534 : undefined;
    if (user !== undefined) chownSync(directory, user, user);
    chmodSync(directory, 0o300);
    if (user !== undefined) process.seteuid?.(user);
    try {
      await using output = await openFileOutput(path, { force: false, warn, signal });
      await output.write(Buffer.from('whole'));
      await output.commit();
    } finally {
      if (user !== undefined) process.seteuid?.(0);
      chmodSync(directory, 0o700);
    }
    expect(warnings).toEqual([
      expect.stringMatching(/b\.tar is written, but its directory cannot be synced to disk: EACCES/),
    ]);
    expect(readFileSync(path, 'utf8')).toBe('whole');
  });

  test('a .part that cannot be removed is a warning', async () => {
    const user = process.geteuid?.() === 0 ? 65534 : undefined;
    if (user !== undefined) chownSync(directory, user, user);
    if (user !== undefined) process.seteuid?.(user);
    try {
      const output = await openFileOutput(path, { force: false, warn, signal });
      chmodSync(directory, 0o500);
      await output[Symbol.asyncDispose]();
    } finally {
      if (user !== undefined) process.seteuid?.(0);
      chmodSync(directory, 0o700);
    }
    expect(warnings).toEqual([expect.stringMatching(/b\.tar\.[0-9a-f]{8}\.part cannot be removed: EACCES/)]);
  });

  test('a file system that hangs does not delay other clean-ups', async () => {
    const image = join(directory, 'image');
    const mount = join(directory, 'mount');
    writeFileSync(image, '');
    truncateSync(image, 8_000_000);
    mkdirSync(mount);
    const isMounted =
      spawnSync('mkfs.ext4', ['-q', image]).status === 0 &&
      spawnSync('mount', ['-o', 'loop', image, mount]).status === 0;
    if (!isMounted || spawnSync('fsfreeze', ['--version']).status !== 0) {
      process.stderr.write('SKIPPED: no file system can be mounted and frozen, so one that hangs is not tried\n');
      return;
    }
    try {
      const output = await openFileOutput(join(mount, 'b.tar'), { force: false, warn, signal });
      execFileSync('fsfreeze', ['--freeze', mount]);
      const writing = output.write(Buffer.from('hangs'));
      try {
        await output[Symbol.asyncDispose]();
      } finally {
        execFileSync('fsfreeze', ['--unfreeze', mount]);
      }
      await writing;
      expect(warnings).toEqual([
        expect.stringMatching(
          /b\.tar\.[0-9a-f]{8}\.part cannot be removed: its file system has not answered for 1500 ms/,
        ),
      ]);
    } finally {
      execFileSync('umount', ['--lazy', mount]);
    }
  });

  test('says which directory is missing', async () => {
    const missing = join(directory, 'nowhere', 'b.tar');
    await expect(openFileOutput(missing, { force: false, warn, signal })).rejects.toMatchObject({ exitCode: 8 });
  });
});
