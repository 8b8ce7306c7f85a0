import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openFileOutput } from '#src/archive/io/file-output.js';

describe('--output FILE', () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
    path = join(directory, 'b.tar');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test('appears under its name only when committed, readable by its owner alone', async () => {
    await using output = await openFileOutput(path, { force: false });
    await output.write(Buffer.from('one'));
    await output.write(Buffer.from('two'));
    expect(existsSync(path)).toBe(false);
    await output.commit();
    expect(readFileSync(path, 'utf8')).toBe('onetwo');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(existsSync(`${path}.part`)).toBe(false);
  });

  test('leaves nothing behind when it is not committed', async () => {
    {
      await using output = await openFileOutput(path, { force: false });
      await output.write(Buffer.from('half'));
    }
    expect(existsSync(path)).toBe(false);
    expect(existsSync(`${path}.part`)).toBe(false);
  });

  test('never replaces a file, also one that came up meanwhile', async () => {
    writeFileSync(path, 'older');
    await expect(openFileOutput(path, { force: false })).rejects.toMatchObject({ exitCode: 8 });
    rmSync(path);
    await using output = await openFileOutput(path, { force: false });
    writeFileSync(path, 'meanwhile');
    await expect(output.commit()).rejects.toMatchObject({ exitCode: 8 });
    expect(readFileSync(path, 'utf8')).toBe('meanwhile');
  });

  test('replaces it with force', async () => {
    writeFileSync(path, 'older');
    writeFileSync(`${path}.part`, 'of a killed run');
    await using output = await openFileOutput(path, { force: true });
    await output.write(Buffer.from('new'));
    await output.commit();
    expect(readFileSync(path, 'utf8')).toBe('new');
  });

  test('refuses to share a .part with another run', async () => {
    await using first = await openFileOutput(path, { force: false });
    await expect(openFileOutput(path, { force: false })).rejects.toThrow('.part exists');
    expect(first.name).toBe(path);
  });

  test('says which directory is missing', async () => {
    const missing = join(directory, 'nowhere', 'b.tar');
    await expect(openFileOutput(missing, { force: false })).rejects.toMatchObject({ exitCode: 8 });
  });
});
