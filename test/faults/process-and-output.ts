/** The rows of the matrix about the job's own process and about where its archive goes. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { harmInMidTable, Program, runProgram } from '../support/program.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { backupFlags, outputIn, type FaultCase } from './fault-case.js';

const signals = [
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 143],
  ['SIGKILL', 'SIGKILL'],
] as const;

export const processCases: readonly FaultCase[] = [
  ...signals.map(([signal, exitCode]): FaultCase => ({
    area: 'process',
    fault: `${signal} in mid-table`,
    exitCode,
    verdict: 'refused',
    run: ({ server }) => harmInMidTable(backupFlags(server), ({ child }) => void child.kill(signal)),
  })),
  {
    area: 'process',
    fault: 'SIGTERM in mid-table, with --output',
    exitCode: 143,
    verdict: 'nothing',
    run: (context) => killWhileReading(context, 'SIGTERM'),
  },
  {
    area: 'process',
    fault: 'SIGKILL in mid-table, with --output: the .part stays; the next run warns of it, and is whole',
    exitCode: 'SIGKILL',
    verdict: 'nothing',
    leftBehind: ['b.tar', 'b.tar.<id>.part', 'b.tar.json'],
    run: async (context) => {
      const ended = await killWhileReading(context, 'SIGKILL');
      const next = await runProgram(backupFlags(context.server, outputIn(context)));
      if (next.exitCode !== 0 || !next.stderr.includes('.part is of a run that was killed'))
        throw new Error(`the next run ended with ${String(next.exitCode)}:\n${next.stderr}`);
      return ended;
    },
  },
  {
    area: 'process',
    fault: 'SIGTERM while RethinkDB is waited for',
    exitCode: 143,
    verdict: 'nothing',
    run: async (context) => {
      await using proxy = await startTcpProxy(context.server, { stopAfterBytes: { bytes: 10, how: 'stall' } });
      const program = new Program(backupFlags(proxy, outputIn(context)));
      await program.waitForLog(/Connecting to/);
      program.child.kill('SIGTERM');
      return await program.ended();
    },
  },
];

/** The table stalls in the middle, so that the signal comes while a .part is being written. */
async function killWhileReading(context: Parameters<FaultCase['run']>[0], signal: NodeJS.Signals) {
  await using proxy = await startTcpProxy(context.server, { stopAfterBytes: { bytes: 5_000_000, how: 'stall' } });
  const program = new Program(backupFlags(proxy, [...outputIn(context), '--debug'], []));
  await program.waitForLog(/Reading dtr2\.events/);
  program.child.kill(signal);
  return await program.ended();
}

export const outputCases: readonly FaultCase[] = [
  {
    area: 'output',
    fault: 'the reader of stdout goes away',
    exitCode: 8,
    verdict: 'refused',
    run: async ({ server }) => {
      const program = new Program(backupFlags(server));
      const stdout = await program.readThenStall(2_000_000);
      program.stdout.destroy();
      return { exitCode: await program.exitCode(), stdout, stderr: program.stderr };
    },
  },
  {
    area: 'output',
    fault: 'the reader of stdout stands still, then reads on',
    exitCode: 0,
    verdict: 'whole',
    run: ({ server }) => harmInMidTable(backupFlags(server), () => undefined),
  },
  {
    area: 'output',
    fault: 'stdout is a full disk (/dev/full)',
    exitCode: 8,
    verdict: 'nothing',
    run: async ({ server }) => {
      const full = openSync('/dev/full', 'w');
      const ended = await runProgram(backupFlags(server), { stdout: full });
      closeSync(full);
      return ended;
    },
  },
  {
    area: 'output',
    fault: '--output names a file that is there',
    exitCode: 8,
    verdict: 'nothing',
    leftBehind: ['b.tar'],
    run: (context) => {
      writeFileSync(join(context.directory, 'b.tar'), 'precious');
      return runProgram(backupFlags(context.server, outputIn(context)));
    },
  },
  {
    area: 'output',
    fault: '--output lies in a directory that is not there',
    exitCode: 8,
    verdict: 'nothing',
    run: ({ server, directory }) => runProgram(backupFlags(server, ['--output', join(directory, 'no', 'b.tar')])),
  },
];
