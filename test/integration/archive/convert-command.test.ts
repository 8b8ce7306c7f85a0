/** `convert` as an operator runs it: files and pipes, refusals, and no trace of its temporary files. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { lines, makeArchive, sampleCertificates, sampleJournal, verifyBytes } from '../../support/archive/sample.js';
import { foreignTar } from '../../support/archive/tar-blocks.js';
import { expectFailure } from '../../support/failure.js';
import { Program, runProgram } from '../../support/program.js';
import { until } from '../../support/until.js';
import { expectDone } from '../../support/restoring.js';

let directory: string;
let archive: Buffer;
const path = (name: string): string => join(directory, name);
const temporary = (): string => path('temporary');

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  archive = await makeArchive(sampleJournal, { certificates: sampleCertificates });
  writeFileSync(path('b.tar'), archive);
  writeFileSync(path('b.tar.gz'), gzipSync(archive));
  writeFileSync(path('cut.tar'), archive.subarray(0, -512));
  writeFileSync(path('foreign.tar'), await foreignTar([[{ name: 'dtr-backup-v2.7.5/rethink/properties/0' }, '{}']]));
});
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(() => void mkdirSync(temporary(), { recursive: true }));

const convert = async (args: readonly string[], stdin?: Buffer) => {
  const ended = await runProgram(['convert', ...args], {
    env: { TMPDIR: temporary() },
    ...(stdin !== undefined && { stdin }),
  });
  expect(readdirSync(temporary())).toEqual([]);
  return ended;
};

test.each([
  ['a file', () => path('b.tar'), undefined],
  ['a gzipped file', () => path('b.tar.gz'), undefined],
  ['stdin', () => '-', () => archive],
])('%s becomes a whole archive without a journal on stdout', async (_what, file, stdin) => {
  const ended = await convert([file()], stdin?.());
  expectDone(ended);
  const verdict = await verifyBytes(ended.stdout);
  expect(lines(verdict)).toEqual([]);
  expect(verdict).toMatchObject({ state: 'whole', documentCount: 3, changeCount: 0, certificateCount: 2 });
  expect(ended.stderr).toMatch(/Conversion complete: 3 documents in 3 tables, 4 changes folded in written to stdout/);
});

test('--output writes, proves and names a file, and replaces none without --force', async () => {
  const args = ['--output', path('{version}.tar'), '--verify', '--drop-table', 'dtr2.tags', path('b.tar')];
  const ended = await convert(args);
  expectDone(ended);
  expect(ended.stdout.length).toBe(0);
  expect(lines(await verifyBytes(readFileSync(path('2.9.4.tar'))))).toEqual([]);
  expect(statSync(path('2.9.4.tar')).mode & 0o777).toBe(0o600);
  expectFailure(await convert(args), 8, /2\.9\.4\.tar exists/);
  expectDone(await convert([...args, '--force']));
});

describe('nothing is written to stdout where', () => {
  test.each([
    ['a cut file', () => [path('cut.tar')], undefined, 9, /cut\.tar is invalid/],
    ['a cut stream', () => [], () => archive.subarray(0, 5000), 9, /stdin is invalid/],
    ['an empty stream', () => [], () => Buffer.alloc(0), 9, /too short for a tar/],
    ['the vendor’s archive', () => [path('foreign.tar')], undefined, 9, /has no manifest and cannot be converted/],
    ['an unknown table', () => ['--drop-table', 'dtr2.none', path('b.tar')], undefined, 2, /has no such table/],
    ['a missing file', () => [path('none.tar')], undefined, 2, /no such file/],
    ['--verify without --output', () => ['--verify', path('b.tar')], undefined, 2, /tee FILE/],
  ])('convert refuses %s', async (_what, args, stdin, exitCode, message) => {
    const ended = await convert(args(), stdin?.());
    expectFailure(ended, exitCode, message);
    expect(ended.stdout.length).toBe(0);
  });
});

test('convert refuses a terminal as stdout', () => {
  const main = new URL('../../../../dist/main.js', import.meta.url).pathname;
  const { status, stdout } = spawnSync(
    'script',
    ['-qec', `'${process.execPath}' '${main}' convert '${path('b.tar')}'`, '/dev/null'],
    {
      encoding: 'utf8',
      timeout: 30_000,
    },
  );
  expect(status).toBe(8);
  expect(stdout).toContain('stdout is a terminal');
});

test('the temporary files of a stream have no name and are for nobody else, even when it is killed', async () => {
  const program = new Program(['convert'], { stdin: 'open', env: { TMPDIR: temporary() } });
  program.child.stdin?.write(archive.subarray(0, 5000));
  const descriptors = `/proc/${program.child.pid ?? 0}/fd`;
  const spools = (): string[] =>
    readdirSync(descriptors)
      .map((fd) => join(descriptors, fd))
      .filter((fd) => linkOf(fd).startsWith(temporary()));
  await until('the stream is spooled', () => spools().some((fd) => statSync(fd).size > 0));
  expect(spools().map((fd) => statSync(fd).mode & 0o777)).toEqual([0o600]);
  expect(readdirSync(temporary())).toEqual([]);
  program.child.kill('SIGKILL');
  await program.exitCode();
  expect(readdirSync(temporary())).toEqual([]);
});

function linkOf(descriptor: string): string {
  try {
    return readlinkSync(descriptor);
  } catch {
    return '';
  }
}

test('SIGTERM ends convert with 143', async () => {
  const program = new Program(['convert', '--debug'], { stdin: 'open', env: { TMPDIR: temporary() } });
  // What is around an archive is told by its first bytes.
  program.child.stdin?.write(archive.subarray(0, 512));
  await program.waitForLog(/Verifying stdin/);
  program.child.kill('SIGTERM');
  const { exitCode, stdout } = await program.ended();
  expect({ exitCode, bytes: stdout.length }).toEqual({ exitCode: 143, bytes: 0 });
});
