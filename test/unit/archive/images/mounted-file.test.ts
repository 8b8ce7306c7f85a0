// A file that changes while it is packed gives the bytes that were promised of it, and says what happened.
import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { MountedFile, readError } from '#src/archive/images/mounted-storage.js';

let directory: string;
let path: string;
let file: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  path = join(directory, 'blob');
  writeFileSync(path, 'x'.repeat(600_000));
  file = openSync(path, 'r');
});
afterEach(() => {
  closeSync(file);
  rmSync(directory, { recursive: true });
});

/** Its body, with `change` made after the first piece. */
function bodyWith(mounted: MountedFile, change: () => void): string {
  const pieces: Buffer[] = [];
  for (const piece of mounted.body()) {
    pieces.push(Buffer.from(piece));
    if (pieces.length === 1) change();
  }
  return Buffer.concat(pieces).toString('latin1');
}

test('one that stays as it is', () => {
  const mounted = new MountedFile(path, file);
  expect(bodyWith(mounted, () => undefined)).toBe('x'.repeat(600_000));
  expect(mounted.changes()).toBeUndefined();
});

test('one that shrinks is filled up with zeros', () => {
  const mounted = new MountedFile(path, file);
  const body = bodyWith(mounted, () => truncateSync(path, 300_000));
  expect(body).toBe('x'.repeat(300_000) + '\0'.repeat(300_000));
  expect(mounted.changes()).toBe('shrank while it was read: its last 300000 bytes are zeros in the archive');
});

test('one that grows is cut where it ended', () => {
  const mounted = new MountedFile(path, file);
  expect(bodyWith(mounted, () => appendFileSync(path, 'more'))).toBe('x'.repeat(600_000));
  expect(mounted.changes()).toBe('changed while it was read');
});

test.each([
  ['EACCES', ExitCode.usage, 'run the job as root'],
  ['EIO', ExitCode.replica, 'cannot read /r/blob'],
])('one that cannot be read for %s ends the run with %d', (code, exitCode, message) => {
  const failure = readError('/r/blob', Object.assign(new Error('it failed'), { code }));
  expect(failure).toMatchObject({ exitCode, message: expect.stringContaining(message) as unknown });
});
