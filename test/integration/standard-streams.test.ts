// The process's own stdin and stdout, as shells, Docker and others open them: nothing lost ends with 0.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeArchive } from '../support/archive/sample.js';
import { scaled, someOf } from '../support/scale.js';

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
let directory: string;
const path = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  const texts = Array.from({ length: 500 }, (_, id) => JSON.stringify({ id: `${1000 + id}`, hash: hashOf(id) }));
  const archive = await makeArchive([{ name: 'tags', texts }]);
  writeFileSync(path('good.tar'), archive);
  writeFileSync(path('cut.tar'), archive.subarray(0, 5000));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Text that compression does not make small. */
function hashOf(id: number): string {
  return Array.from({ length: 20 }, (_, at) => Math.imul(id + 1, 2654435761 + at * 40503).toString(36)).join('');
}

/** Runs `dtr-backup` in a shell line of the directory with the archives; gives its exit code and its last line. */
function shell(line: string): { readonly exitCode: number | null; readonly says: string } {
  const { status, stderr } = spawnSync(
    'bash',
    ['-c', `set -o pipefail; dtr-backup() { '${process.execPath}' '${main}' "$@"; }; ${line}`],
    {
      cwd: directory,
      encoding: 'utf8',
      timeout: 60_000,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH, BACKUP_PASSPHRASE: 'x' },
    },
  );
  expect(stderr).not.toMatch(/^\s+at /m);
  return {
    exitCode: status,
    says: stderr
      .split('\n')
      .filter((text) => /^(FATA|ERRO)/.test(text))
      .join('\n'),
  };
}

/** What each kind of descriptor leads to is in the unit tests of standard output as well: so some of them at quick numbers. */
type ShellLine = readonly [line: string, exitCode: number, says: string];

describe('stdout', () => {
  const stdoutLines: readonly ShellLine[] = [
    ['dtr-backup convert good.tar >&-', 8, 'stdout is closed'],
    ['dtr-backup convert good.tar 1< .', 8, 'stdout is a directory'],
    ['dtr-backup convert good.tar 1< good.tar', 8, 'stdout is open for reading only'],
    ['dtr-backup convert good.tar > both 2>&1; code=$?; cat both >&2; exit $code', 8, 'are the same regular file'],
    ['dtr-backup convert good.tar 2>&1 | cat >&2', 8, 'are the same pipe'],
    ['dtr-backup convert good.tar > /dev/udp/127.0.0.1/9', 8, 'stdout is a socket of datagrams or packets'],
    ['dtr-backup convert good.tar > /dev/full', 8, 'cannot write the archive to stdout: the disk is full'],
    ['dtr-backup convert good.tar > /dev/null', 0, ''],
    ['dtr-backup convert good.tar | dtr-backup verify', 0, ''],
    ['dtr-backup convert --output - good.tar > whole && dtr-backup verify whole', 0, ''],
    ['dtr-backup convert --output made.tar good.tar >&- && dtr-backup verify made.tar', 0, ''],
  ];
  test.each(someOf(stdoutLines, 2))('%s: %d', (line, exitCode, says) => {
    expect(shell(line)).toEqual({ exitCode, says: expect.stringContaining(says) });
  });

  test('refuses an archive to /dev/null where /proc is hidden: it may stand for a closed stdout', () => {
    const withoutProc = (line: string): string =>
      `unshare --mount bash -c "mount -t tmpfs none /proc && exec '${process.execPath}' '${main}' ${line}"`;
    if (spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/proc']).status !== 0) {
      process.stderr.write('SKIPPED: /proc cannot be hidden, so a process without it is not tried\n');
      return;
    }
    const says = expect.stringContaining('stdout is closed, or a /dev/null');
    expect(shell(withoutProc('convert good.tar >&-'))).toEqual({ exitCode: 8, says });
    expect(shell(withoutProc('convert good.tar > /dev/null'))).toEqual({ exitCode: 8, says });
    expect(shell(withoutProc('verify good.tar > /dev/null'))).toEqual({ exitCode: 0, says: '' });
  });

  test('fails the run where a file takes the last write in part only: plain, compressed and encrypted', () => {
    if (spawnSync('prlimit', ['--version']).error !== undefined) {
      process.stderr.write('SKIPPED: no prlimit, so a write that is taken in part is not tried\n');
      return;
    }
    const almostAll = statSync(path('good.tar')).size - 600;
    for (const [flags, limit] of [
      ['', almostAll],
      ['--compress gzip', 20_000],
      ['--encrypt', almostAll],
    ] as const) {
      const call = `prlimit --fsize=${limit} '${process.execPath}' '${main}' convert ${flags} good.tar > part`;
      const says = expect.stringContaining('cannot write the archive to stdout: the file grew beyond the allowed size');
      expect(shell(call)).toEqual({ exitCode: 8, says });
      expect(statSync(path('part')).size).toBe(limit);
    }
  });
});

describe('a report to stdout', () => {
  const calls = [
    '--version',
    'verify good.tar',
    'inspect --json good.tar',
    '--help',
    'verify --help',
    'inspect good.tar',
  ];
  test.each(calls.slice(0, scaled(3, calls.length)))(
    'of %s that the disk has no room for ends the run with 8',
    (call) => {
      const full = 'cannot write the report to stdout: the disk is full';
      expect(shell(`dtr-backup ${call} > /dev/full`)).toEqual({ exitCode: 8, says: expect.stringContaining(full) });
    },
  );

  test('to a reader who has gone ends the run with 8', () => {
    expect(shell('dtr-backup inspect good.tar | true').exitCode).toBe(8);
  });

  test('may go to /dev/null, and to a closed stdout', () => {
    expect(shell('dtr-backup verify good.tar > /dev/null')).toEqual({ exitCode: 0, says: '' });
    expect(shell('dtr-backup verify good.tar >&-')).toEqual({ exitCode: 0, says: '' });
  });

  test('that is lost leaves the exit code of an invalid archive as it is', () => {
    const { exitCode, says } = shell('dtr-backup verify cut.tar > /dev/full');
    expect(exitCode).toBe(9);
    expect(says).toMatch(/^ERRO.* cannot write the report .*\nFATA.* cut\.tar is invalid: \d+ findings?$/);
  });
});

describe('stdin', () => {
  const stdinLines: readonly ShellLine[] = [
    ['dtr-backup verify <&-', 2, 'stdin is closed: name an archive'],
    ['dtr-backup verify < .', 2, 'stdin is a directory'],
    ['dtr-backup verify < /dev/udp/127.0.0.1/9', 2, 'stdin is a socket of datagrams or packets'],
    ['dtr-backup verify 0> written', 2, 'stdin is open for writing only'],
    ['dtr-backup verify < /dev/null', 9, 'stdin is invalid'],
    ['dtr-backup verify < good.tar', 0, ''],
    ['cat good.tar | dtr-backup verify', 0, ''],
    ['dtr-backup convert --output kept.tar - <&-; test ! -e kept.tar', 0, 'stdin is closed'],
  ];
  test.each(someOf(stdinLines, 2))('%s: %d', (line, exitCode, says) => {
    expect(shell(line)).toEqual({ exitCode, says: expect.stringContaining(says) });
  });

  test('may be a block device', () => {
    const set = spawnSync('losetup', ['--find', '--show', path('good.tar')], { encoding: 'utf8' });
    if (set.status !== 0) {
      process.stderr.write('SKIPPED: no loop device to be had, so a block device as stdin is not tried\n');
      return;
    }
    const device = set.stdout.trim();
    try {
      expect(shell(`dtr-backup verify < ${device}`)).toEqual({ exitCode: 0, says: '' });
      expect(shell(`dtr-backup verify ${device}`)).toEqual({ exitCode: 0, says: '' });
    } finally {
      spawnSync('losetup', ['--detach', device]);
    }
  });
});
