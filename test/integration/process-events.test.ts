// What happens outside any call of the program: uncaught exceptions, Node's warnings, an end in mid-work, a full stderr.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeArchive } from '../support/archive/sample.js';
import { Program } from '../support/program.js';
import { until } from '../support/until.js';

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
let directory: string;
const path = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  writeFileSync(path('good.tar'), await makeArchive());
});
afterAll(() => rmSync(directory, { recursive: true }));

/** A module that Node loads before the program, and what of it goes wrong outside any call of ours. */
function preload(code: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}

describe('an uncaught error', () => {
  const uncaught = "process.once('SIGUSR2', () => { throw new Error('out of the blue') })";
  const rejected = "process.once('SIGUSR2', () => { Promise.reject(new Error('out of the blue')) })";

  test.each([
    ['exception', uncaught],
    ['rejection', rejected],
  ])('(%s) ends the run with 1 and its stack, after the .part is removed', async (_what, code) => {
    const output = path('crashed.tar');
    const program = new Program(['convert', '--log-format', 'json', '--output', output], {
      env: preload(code),
      stdin: 'open',
    });
    program.child.stdin?.write(readFileSync(path('good.tar')).subarray(0, 5000));
    await program.waitForLog(/Verifying stdin/);
    program.child.kill('SIGUSR2');
    const { exitCode, stderr } = await program.ended();
    expect(exitCode).toBe(1);
    expect(readdirSync(directory)).not.toContainEqual(expect.stringContaining('crashed'));
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string });
    expect(lines.at(-1)).toMatchObject({
      level: 'fatal',
      msg: expect.stringMatching(/^This is a bug: out of the blue\n +Error: out of the blue\n +at /),
    });
  });

  test('before there is a log ends the process with 1 as well, and not with a code of Node', () => {
    const code =
      "process.on('newListener', (name) => { if (name === 'beforeExit') process.nextTick(() => { throw new Error('too early') }) })";
    const { status, stderr } = spawnSync(process.execPath, [main, 'verify', path('good.tar')], {
      env: { PATH: process.env.PATH, ...preload(code) },
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^This is a bug: Error: too early\n +at /),
    });
  });

  test('is what a run gets that has nothing left to wait for and is not done', () => {
    const code =
      "import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module'; fs.fsync = () => {}; syncBuiltinESMExports()";
    const stdout = openSync(path('unsynced'), 'w');
    const { status, stderr } = spawnSync(process.execPath, [main, 'convert', path('good.tar')], {
      stdio: ['ignore', stdout, 'pipe'],
      env: { PATH: process.env.PATH, ...preload(code) },
      encoding: 'utf8',
    });
    closeSync(stdout);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/FATA.* nothing is left to wait for/),
    });
  });
});

describe('a signal', () => {
  /** Resolves once the program has it open. */
  const opened = ({ child }: Program, file: string): Promise<void> =>
    until(`${file} is open`, () =>
      readdirSync(`/proc/${child.pid}/fd`).some((fd) => {
        try {
          return readlinkSync(`/proc/${child.pid}/fd/${fd}`).endsWith(file);
        } catch {
          return false;
        }
      }),
    );

  test('ends a run that reads a FIFO to which nobody writes', async () => {
    execFileSync('mkfifo', [path('fifo')]);
    const program = new Program(['convert', '--output', path('never.tar'), path('fifo')]);
    await opened(program, path('fifo'));
    program.child.kill('SIGTERM');
    expect(await program.ended()).toMatchObject({ exitCode: 143, stderr: expect.stringMatching(/FATA.* by SIGTERM/) });
  });
});

describe('stderr', () => {
  // As soon as the program listens, and once more in its work.
  const warnings =
    "const warn = () => { process.emitWarning('too many', 'MaxListenersExceededWarning'); process.emitWarning('old', 'DeprecationWarning', 'DEP1') };" +
    "process.on('newListener', (name) => { if (name === 'beforeExit') { warn(); setTimeout(warn, 50); } })";

  test.each([
    [['inspect'], 0],
    [['verify', '--bogus'], 2],
    [['nonsense'], 2],
    [[], 2],
  ])('of %j has nothing but JSON lines with --log-format json, whatever Node warns of', (args, exitCode) => {
    const { status, stderr } = spawnSync(process.execPath, [main, ...args, '--log-format', 'json', '--debug'], {
      input: readFileSync(path('good.tar')),
      env: { PATH: process.env.PATH, ...preload(warnings) },
      encoding: 'utf8',
    });
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string });
    expect(status).toBe(exitCode);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'debug', msg: 'Node warns: DeprecationWarning: old' }),
    );
  });

  test('has no warning of Node without --debug', () => {
    const { status, stderr } = spawnSync(process.execPath, [main, 'inspect', path('good.tar')], {
      env: { PATH: process.env.PATH, ...preload(warnings) },
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('that is a full pipe at the end gets the last line all the same', async () => {
    const child = spawn(
      process.execPath,
      [main, ...Array.from({ length: 600 }, (_, n) => `--no-such-setting-${'x'.repeat(400)}-${n}`)],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let text = '';
    // More than a pipe holds: the program is done before all is read.
    await once(child.stderr, 'readable');
    for await (const chunk of child.stderr.setEncoding('utf8')) text += chunk as string;
    expect(text.trim().split('\n').at(-1)).toContain('See --help');
  });
});
