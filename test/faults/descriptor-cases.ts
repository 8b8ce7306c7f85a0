/** The rows of the matrix about stdout, `--output` and the process itself where they are not what one takes them for. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeArchive } from '../support/archive/sample.js';
import type { Ended } from '../support/command.js';
import { Program, runProgram } from '../support/program.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { backupFlags, outputIn, type FaultCase, type FaultContext } from './fault-case.js';

/** Runs the program through a shell line, in which `"$@"` stands for the call. */
function throughShell(line: string, flags: readonly string[]): Promise<Ended> {
  return runProgram(flags, { wrapper: ['sh', '-c', line, 'sh'] });
}

/** A slow backup into a file as stdout, with `harm` done to it as soon as half a megabyte is there. */
async function harmFile(
  { server, directory }: FaultContext,
  harm: (path: string, program: Program) => unknown,
  wrapper: readonly string[] = [],
): Promise<Ended> {
  const path = join(directory, 'stdout');
  const stdout = openSync(path, 'w');
  const program = new Program(backupFlags(server, ['--rate-limit', '16MB/s']), { stdout, wrapper });
  closeSync(stdout);
  await until('half a megabyte is written', () => statSync(path).size >= 500_000);
  await harm(path, program);
  const ended = await program.ended();
  return { ...ended, stdout: readFileSync(path) };
}

const places: readonly (readonly [string, RegExp, (path: string) => unknown])[] = [
  ['a directory', /is a directory/, (path) => mkdirSync(path)],
  ['a symbolic link', /is a symbolic link to elsewhere/, (path) => symlinkSync('elsewhere', path)],
  ['a FIFO', /is a FIFO/, (path) => execFileSync('mkfifo', [path])],
];

export const descriptorCases: readonly FaultCase[] = [
  {
    area: 'output',
    fault: 'stdout is closed (>&-)',
    exitCode: 8,
    says: /stdout is closed/,
    verdict: 'nothing',
    run: ({ server }) => throughShell('exec "$@" >&-', backupFlags(server)),
  },
  {
    area: 'output',
    fault: 'stdout is a directory',
    exitCode: 8,
    says: /stdout is a directory/,
    verdict: 'nothing',
    run: ({ server }) => throughShell('exec "$@" 1< .', backupFlags(server)),
  },
  {
    area: 'output',
    fault: 'stdout and stderr are one (2>&1), so that the log would stand in the archive',
    exitCode: 8,
    verdict: 'nothing',
    run: async ({ server }) => {
      const { exitCode, stdout } = await throughShell('exec "$@" 2>&1', backupFlags(server));
      const stderr = stdout.toString();
      if (!stderr.includes('stdout and stderr are the same socket')) throw new Error(stderr);
      return { exitCode, stdout: Buffer.alloc(0), stderr };
    },
  },
  {
    area: 'output',
    fault: 'stdout is a file, and its disk is full for a moment in mid-run (a file size limit that is raised again)',
    exitCode: 8,
    says: /stdout: the file grew beyond the allowed size/,
    verdict: 'refused',
    leftBehind: ['stdout'],
    run: (context) => {
      const limit = ['prlimit', '--fsize=1000000:unlimited'];
      const raise = (path: string, { child }: Program): Promise<void> =>
        until('the file is full', () => child.exitCode !== null || statSync(path).size === 1_000_000).then(
          () => void spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']),
        );
      return harmFile(context, raise, limit);
    },
  },
  {
    area: 'output',
    fault: 'stdout is a file that another process truncates in mid-run (two `> file` at once)',
    exitCode: 8,
    says: /stdout is a file that another process also writes to or truncates/,
    verdict: 'refused',
    leftBehind: ['stdout'],
    run: (context) => harmFile(context, (path) => truncateSync(path, 100_000)),
  },
  {
    area: 'output',
    fault: 'two runs at one --output with --force: each its own .part, and the last one stays',
    exitCode: 0,
    verdict: 'whole',
    leftBehind: ['b.tar', 'b.tar.json'],
    run: async (context) => {
      const flags = backupFlags(context.server, [...outputIn(context), '--force']);
      const [first, second] = await Promise.all([new Program(flags).ended(), new Program(flags).ended()]);
      if (first.exitCode !== 0) throw new Error(first.stderr);
      return { ...second, stdout: readFileSync(join(context.directory, 'b.tar')) };
    },
  },
  ...places.map(([what, says, make]): FaultCase => ({
    area: 'output',
    fault: `--output --force names ${what}: refused before the run`,
    exitCode: 8,
    says,
    verdict: 'nothing',
    leftBehind: ['b.tar'],
    run: async (context) => {
      make(join(context.directory, 'b.tar'));
      const ended = await runProgram(backupFlags(context.server, [...outputIn(context), '--force']));
      if (ended.stderr.includes('Connect')) throw new Error(ended.stderr);
      return ended;
    },
  })),
  {
    area: 'output',
    fault: 'the report of restore --dry-run goes onto a full disk (/dev/full)',
    exitCode: 8,
    says: /cannot write the report to stdout: the disk is full/,
    verdict: 'nothing',
    leftBehind: ['a.tar'],
    run: async ({ server, directory }) => {
      const archive = join(directory, 'a.tar');
      writeFileSync(archive, await makeArchive());
      const target = backupFlags(server, [], []).slice(1, -2);
      const full = openSync('/dev/full', 'w');
      const flags = ['restore', ...target, '--allow-version-mismatch', '--merge', '--dry-run', archive];
      const ended = await runProgram(flags, { stdout: full });
      closeSync(full);
      return ended;
    },
  },
  {
    area: 'process',
    fault: 'an exception that nobody caught, in mid-table, with --output',
    exitCode: 1,
    verdict: 'nothing',
    run: async (context) => {
      await using proxy = await startTcpProxy(context.server, { stopAfterBytes: { bytes: 5_000_000, how: 'stall' } });
      const code = "process.once('SIGUSR2', () => { throw new Error('out of the blue') })";
      const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
      const program = new Program(backupFlags(proxy, [...outputIn(context), '--log-format', 'json', '--debug'], []), {
        env,
      });
      await program.waitForLog(/Reading dtr2\.events/);
      program.child.kill('SIGUSR2');
      const ended = await program.ended();
      if (!ended.stderr.includes('This is a bug: out of the blue')) throw new Error(ended.stderr);
      return ended;
    },
  },
];
