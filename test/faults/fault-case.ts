/** What a row of the fault matrix is, and what its cases run against. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RethinkdbAddress } from '#src/model/replica-access.js';
import { directFlags } from '../support/direct-mode.js';
import type { Ended } from '../support/command.js';
import type { ReqlServer } from '../support/replica/reql-server.js';

/** What `verify` says of what had been written by then; `nothing` where nothing was. */
export type ArchiveVerdict = 'whole' | 'refused' | 'nothing';

export type FaultArea =
  | ('command line' | 'process' | 'output' | 'network' | 'server' | 'snapshot' | 'rows' | 'UCP' | 'certificates')
  | ('archive' | 'wrapping' | 'images' | 'restore' | 'trust' | 'S3' | 'SFTP');

export interface FaultCase {
  readonly area: FaultArea;
  readonly fault: string;
  readonly exitCode: number | 'SIGKILL';
  /** What the one line of a failure must say. */
  readonly says?: RegExp;
  readonly verdict: ArchiveVerdict;
  /** What is left in the directory of `--output`. */
  readonly leftBehind?: readonly string[];
  readonly run: (context: FaultContext) => Promise<Ended>;
}

export interface FaultContext {
  readonly server: ReqlServer;
  /** Empty before each case: where `--output` goes. */
  readonly directory: string;
}

/** Two seconds of patience, so that what never comes back is known soon. */
const impatient = ['--connect-timeout', '2', '--read-timeout', '2'];

export function backupFlags(
  target: RethinkdbAddress,
  more: readonly string[] = [],
  patience: readonly string[] = impatient,
): string[] {
  return [...directFlags(target), ...patience, '--consistency', 'scan', ...more];
}

export function snapshotFlags(target: RethinkdbAddress, more: readonly string[] = []): string[] {
  return [...directFlags(target), ...impatient, ...more];
}

/** The names, with the id of a .part left out. */
export function leftIn(directory: string): string[] {
  return readdirSync(directory)
    .map((name) => name.replace(/\.[0-9a-f]{8}\.part$/, '.<id>.part'))
    .sort();
}

export function outputIn({ directory }: FaultContext): string[] {
  return ['--output', join(directory, 'b.tar')];
}
