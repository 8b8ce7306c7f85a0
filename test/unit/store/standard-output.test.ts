// stdout as each kind of descriptor; `stream` stands for Node's own, which is a Socket for pipes and stream sockets alone.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { standardOutput, type Stdout } from '#src/store/standard-output.js';

let directory: string;
let path: string;
let opened: number[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  path = join(directory, 'out');
  opened = [];
});
afterEach(() => {
  for (const fd of opened) closeSync(fd);
  rmSync(directory, { recursive: true });
});

function open(name: string, flags: string | number): number {
  const fd = openSync(name, flags);
  opened.push(fd);
  return fd;
}

function stdoutOn(fd: number, stderrFd = open('/dev/null', 'w')): Stdout {
  return standardOutput({ fd, stderrFd, stream: () => new Writable() });
}

describe.each(['archive', 'report'] as const)('for an %s, stdout is refused with 8, by name, when it is', (use) => {
  test.each<[string, () => number, RegExp]>([
    ['no descriptor at all', () => 4242, /^stdout is closed/],
    ['a directory', () => open(directory, 'r'), /^stdout is a directory: redirect/],
    ['open for reading only', () => open('/dev/null', 'r'), /^stdout is open for reading only/],
  ])('%s', (_what, fd, message) => {
    const stdout = stdoutOn(fd());
    expect(() => stdout.open(use)).toThrow(expect.objectContaining({ exitCode: 8 }));
    expect(() => stdout.open(use)).toThrow(message);
  });

  test('a block device', () => {
    const device = join(directory, 'block');
    try {
      // The first loop device, with nothing behind it: the kind is all that counts.
      execFileSync('mknod', [device, 'b', '7', '0'], { stdio: 'pipe' });
      const stdout = stdoutOn(open(device, 'r+'));
      expect(() => stdout.open(use)).toThrow('stdout is a block device: redirect it to a file or a pipe');
    } catch (error) {
      if (!(error instanceof Error && /mknod|EPERM|ENXIO|EACCES/.test(error.message))) throw error;
      process.stderr.write('SKIPPED: no block device to be had, so stdout as one is not tried\n');
    }
  });
});

test('what Node opens in place of a closed stdout takes reports, and no archive', async () => {
  const stdout = stdoutOn(open('/dev/null', 'r+'));
  expect(() => stdout.open('archive')).toThrow(expect.objectContaining({ exitCode: 8 }));
  expect(() => stdout.open('archive')).toThrow(/^stdout is closed, or a \/dev\/null opened for reading as well/);
  await stdout.open('report').write(Buffer.from('x'));
});

test('/dev/null as a shell opens it is taken, also for both stdout and stderr', async () => {
  const fd = open('/dev/null', 'w');
  const sink = stdoutOn(fd, fd).open('archive');
  await sink.write(Buffer.from('x'));
  await sink.commit();
});

test('a full device rejects the write', async () => {
  const sink = stdoutOn(open('/dev/full', 'w')).open('report');
  await expect(sink.write(Buffer.from('x'))).rejects.toMatchObject({ code: 'ENOSPC' });
});

describe('a file', () => {
  test('takes every byte, and says so at the end', async () => {
    const sink = stdoutOn(open(path, 'w')).open('archive');
    await sink.write(Buffer.from('one'));
    await sink.write(Buffer.from('two'));
    await sink.commit();
    expect(readFileSync(path, 'utf8')).toBe('onetwo');
  });

  test('is appended to (>>), after what is there', async () => {
    writeSync(open(path, 'w'), 'before ');
    const sink = stdoutOn(open(path, 'a')).open('archive');
    await sink.write(Buffer.from('archive'));
    await sink.commit();
    expect(readFileSync(path, 'utf8')).toBe('before archive');
  });

  test('is written on from where its shell stands', async () => {
    const fd = open(path, 'w');
    writeSync(fd, 'before ');
    const sink = stdoutOn(fd).open('archive');
    await sink.write(Buffer.from('archive'));
    await sink.commit();
    expect(readFileSync(path, 'utf8')).toBe('before archive');
  });

  test('that holds more than what comes before the archive is refused: its rest would follow the archive', () => {
    writeSync(open(path, 'w'), 'of before');
    const stdout = stdoutOn(open(path, constants.O_WRONLY));
    expect(() => stdout.open('archive')).toThrow(
      'stdout is a file of 9 bytes, written from byte 0 on: truncate it first',
    );
    stdout.open('report');
  });

  test('that is stderr as well takes reports, and no archive', () => {
    const fd = open(path, 'a');
    expect(() => stdoutOn(fd, fd).open('archive')).toThrow('stdout and stderr are the same regular file');
    expect(() => stdoutOn(fd, open(path, 'a')).open('archive')).toThrow('stdout and stderr are the same regular file');
    stdoutOn(fd, fd).open('report');
  });

  test('that another process truncates meanwhile fails the next write', async () => {
    const fd = open(path, 'w');
    const sink = stdoutOn(fd).open('archive');
    await sink.write(Buffer.from('0123456789'));
    ftruncateSync(fd);
    await expect(sink.write(Buffer.from('0123456789'))).rejects.toThrow(
      'stdout is a file that another process also writes to or truncates: it has 0 bytes instead of 10',
    );
  });

  test.each([
    ['appends', 'a', /it has 15 bytes instead of 10/],
    ['truncates', 'w', /it has 5 bytes instead of 10/],
  ])('that another process %s to at the end is not committed', async (_what, flags, message) => {
    const sink = stdoutOn(open(path, 'w')).open('archive');
    await sink.write(Buffer.from('0123456789'));
    writeSync(open(path, flags), 'alien');
    await expect(sink.commit()).rejects.toThrow(message);
  });

  test.each([0, 10, 22])(
    'that another process truncates to %d bytes in the middle of a write fails that write',
    async (size) => {
      const fd = open(path, 'w');
      const sink = stdoutOn(fd).open('archive');
      await sink.write(Buffer.from('0123456789'));
      await sink.write(Buffer.from('an entry, padded\0\0\0\0'));
      const writing = sink.write(Buffer.from('0123456789'));
      // The size has been looked at, and the bytes go to their place, as if nothing had happened.
      ftruncateSync(open(path, 'r+'), size);
      await expect(writing).rejects.toThrow(/stdout is a file that another .* byte 10 is not what was written/);
    },
  );

  test('takes reports of several runs at once', async () => {
    const one = stdoutOn(open(path, 'a')).open('report');
    const other = stdoutOn(open(path, 'a')).open('report');
    await one.write(Buffer.from('one\n'));
    await other.write(Buffer.from('other\n'));
    await one.commit();
    await other.commit();
    expect(readFileSync(path, 'utf8')).toBe('one\nother\n');
  });
});

test('a disk that is full in the middle of a write fails it, and the part that fitted is no success', async () => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory], { stdio: 'pipe' });
  } catch {
    process.stderr.write('SKIPPED: no right to mount a small disk, so stdout on a full disk is not tried\n');
    return;
  }
  try {
    const fd = openSync(path, 'w');
    const sink = stdoutOn(fd).open('archive');
    await sink.write(Buffer.alloc(40_000));
    await expect(sink.write(Buffer.alloc(40_000))).rejects.toMatchObject({ code: 'ENOSPC' });
    closeSync(fd);
  } finally {
    // Lazily: the sink keeps the file open for as long as its process lives.
    execFileSync('umount', ['--lazy', directory]);
  }
});
