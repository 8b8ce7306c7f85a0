// What the process that reads a mounted storage says, told everything beforehand: its path, and an answer to each question.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { answers, encodeFrame, lengthBytes, type MountedFrame } from '#src/archive/images/mounted-frames.js';
import { ExitCode } from '#src/base/exit-codes.js';

const program = fileURLToPath(new URL('../../../../../dist/archive/images/mounted-process.js', import.meta.url));
const large = 'x'.repeat(300_000);

let storage: string;

beforeEach(() => {
  storage = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
});
afterEach(() => rmSync(storage, { recursive: true, force: true }));

/** Its frames, and between them the bodies as text; it is started with the environment, as coverage wants it. */
function run(answersGiven: readonly number[], path = storage): readonly (MountedFrame | string)[] {
  const input = Buffer.concat([encodeFrame(path), Buffer.from(answersGiven)]);
  const { stdout, stderr, status } = spawnSync(process.execPath, [program], { input });
  expect([stderr.toString(), status]).toEqual(['', 0]);
  const said: (MountedFrame | string)[] = [];
  for (let at = 0; at < stdout.length;) {
    const end = at + lengthBytes + stdout.readUInt32BE(at);
    const frame = JSON.parse(stdout.toString('utf8', at + lengthBytes, end)) as MountedFrame;
    said.push(frame);
    const asked = answersGiven.slice(1).filter((answer) => answer !== answers.skip).length;
    const isFile = frame.kind === 'entry' && frame.entry.type === 'file';
    const bodyBytes = isFile ? frame.entry.bytes * (frame.isAsked ? asked : 1) : 0;
    at = end + bodyBytes;
    if (bodyBytes > 0) said.push(stdout.toString('utf8', end, at));
  }
  return said;
}

function inWords(said: MountedFrame | string): string {
  if (typeof said === 'string') return said.length > 20 ? `${said.length} characters` : said;
  if (said.kind === 'entry') return `${said.entry.type} ${said.entry.path}${said.isAsked ? '?' : ''}`;
  if (said.kind === 'root') return `root ${said.isDirectory} ${said.hasRegistry}`;
  return said.kind === 'leftOut' ? `${said.kind} ${said.path}` : said.kind;
}

const words = (given: readonly number[]): string[] => run(given).map(inWords);

describe('a storage', () => {
  test('is told entry by entry, small bodies unasked', () => {
    writeFileSync(join(storage, 'a'), 'text');
    expect(words([answers.send])).toEqual(['root true false', 'directory ', 'file a', 'text', 'afterFile', 'end']);
  });

  test('tells of links without a body, and of what is left out', () => {
    symlinkSync('nowhere', join(storage, 's'));
    execFileSync('mkfifo', [join(storage, 'p')]);
    const [root, directory, ...others] = words([answers.send]);
    expect([root, directory]).toEqual(['root true false', 'directory ']);
    expect(others.sort()).toEqual(['end', 'leftOut p', 'symlink s']);
  });

  test.each([
    ['sent', answers.send, ['300000 characters']],
    ['passed over', answers.skip, []],
  ])('has large bodies, which are asked for and may be %s', (_what, answer, body) => {
    writeFileSync(join(storage, 'a'), large);
    expect(words([answers.send, answer])).toEqual([
      'root true false',
      'directory ',
      'file a?',
      ...body,
      'afterFile',
      'end',
    ]);
  });

  test('has large bodies that may be read once more before they are sent or passed over', () => {
    writeFileSync(join(storage, 'a'), large);
    const before = ['root true false', 'directory ', 'file a?'];
    const body = '300000 characters';
    expect(words([answers.send, answers.preview, answers.skip])).toEqual([...before, body, 'afterFile', 'end']);
    const twice = [answers.send, answers.preview, answers.send];
    // The two bodies follow each other without a frame in between.
    expect(words(twice)).toEqual([...before, '600000 characters', 'afterFile', 'end']);
  });

  test.each([
    ['is there', 'docker/registry/v2', true],
    ['is not there', 'docker/registry', false],
    ['is there, and no directory on the way to it', undefined, true],
  ])('with a registry that %s', (_what, directory, hasRegistry) => {
    if (directory === undefined) writeFileSync(join(storage, 'docker'), '');
    else mkdirSync(join(storage, directory), { recursive: true });
    expect(run([answers.send])[0]).toEqual({ kind: 'root', isDirectory: true, hasRegistry });
  });
});

describe('it fails', () => {
  test('where there is nothing', () => {
    const missing = join(storage, 'missing');
    expect(run([answers.send], missing)).toEqual([
      { kind: 'root', isDirectory: false, hasRegistry: false },
      {
        kind: 'failed',
        exitCode: ExitCode.replica,
        message: expect.stringMatching(/^cannot read .*\/missing: ENOENT/) as unknown,
      },
    ]);
  });

  test('where nobody answers, as what ought not to be', () => {
    expect(run([])).toEqual([
      { kind: 'root', isDirectory: true, hasRegistry: false },
      {
        kind: 'failed',
        exitCode: ExitCode.bug,
        message: 'the process that reads the storage: its input has ended',
      },
    ]);
  });
});
