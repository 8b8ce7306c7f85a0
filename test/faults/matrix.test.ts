/**
 * The fault matrix: each fault once, and what must come of it: the exit code, what `verify` says of all that was
 * written, and what is left behind. `FAULTS_PAGE` names the page that the run writes.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { announceServer } from '../support/direct-mode.js';
import { fatalLines } from '../support/failure.js';
import { runProgram } from '../support/program.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedEvents } from '../support/replica/seed-events.js';
import { descriptorCases } from './descriptor-cases.js';
import { certificateCases } from './certificate-cases.js';
import { commandLineCases } from './command-line-cases.js';
import { leftIn, type ArchiveVerdict, type FaultCase } from './fault-case.js';
import { halvesCases } from './halves-cases.js';
import { imageCases } from './image-cases.js';
import { matrixPage, type MatrixRow } from './matrix-page.js';
import { networkCases, serverCases } from './network-and-server.js';
import { outputCases, processCases } from './process-and-output.js';
import { restoreCases } from './restore-cases.js';
import { s3Cases } from './s3-cases.js';
import { sftpCases } from './sftp-cases.js';
import { rethinkTlsCases } from './rethink-tls-cases.js';
import { rowCases } from './row-cases.js';
import { snapshotCases } from './snapshot-cases.js';
import { trustCases } from './trust-cases.js';
import { archiveCases, ucpCases } from './ucp-and-archive.js';
import { ucpAnswerCases } from './ucp-answer-cases.js';
import { wrappingCases } from './wrapping-cases.js';

const cases: readonly FaultCase[] = [
  ...commandLineCases,
  ...processCases,
  ...outputCases,
  ...descriptorCases,
  ...networkCases,
  ...rethinkTlsCases,
  ...serverCases,
  ...snapshotCases,
  ...rowCases,
  ...ucpCases,
  ...ucpAnswerCases,
  ...certificateCases,
  ...archiveCases,
  ...trustCases,
  ...wrappingCases,
  ...imageCases,
  ...halvesCases,
  ...restoreCases,
  ...s3Cases,
  ...sftpCases,
];

let server: ReqlServer;
let directory: string;
const rows: MatrixRow[] = [];

beforeAll(async () => {
  server = await startReqlServer();
  announceServer(server);
  // About 15 MB of JSON: more than a pipe and two batches hold.
  await seedEvents(server, 20_000);
}, 120_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  const { FAULTS_PAGE } = process.env;
  if (FAULTS_PAGE !== undefined && rows.length === cases.length)
    writeFileSync(FAULTS_PAGE, matrixPage(rows, `${server.kind} ${server.version}`, new Date()));
});

test.each(cases.map((one) => [one.area, one.fault, one] as const))('%s: %s', async (_area, _fault, one) => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-faults-'));
  try {
    const startMs = performance.now();
    const { exitCode, stdout, stderr } = await one.run({ server, directory });
    const seconds = (performance.now() - startMs) / 1000;
    const verdict = await judge(stdout);
    const leftBehind = leftIn(directory);
    const seen = { exitCode: exitCode ?? 'SIGKILL', verdict, leftBehind };
    expect({ ...seen, stderr: seen.exitCode === one.exitCode ? '' : stderr }).toEqual({
      exitCode: one.exitCode,
      verdict: one.verdict,
      leftBehind: one.leftBehind ?? [],
      stderr: '',
    });
    expect(stderr).not.toMatch(/^\s+at /m);
    if (one.says !== undefined) expect(fatalLines({ stderr })).toEqual([expect.stringMatching(one.says)]);
    // The one thing that must never be.
    if (exitCode === 0) expect(verdict).toBe('whole');
    rows.push({ area: one.area, fault: one.fault, ...seen, seconds });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

async function judge(written: Buffer): Promise<ArchiveVerdict> {
  if (written.length === 0) return 'nothing';
  const { exitCode } = await runProgram(['verify', '-'], { stdin: written });
  return exitCode === 0 ? 'whole' : 'refused';
}
