/** The rows of the matrix about UCP, and about archives that were cut or altered after they were written. */
import { gzipSync } from 'node:zlib';
import type { Ended } from '../support/command.js';
import { startEmbeddedDtr, ucpPassword } from '../support/embedded-dtr.js';
import { createAuthority } from '../support/pki.js';
import { runProgram } from '../support/program.js';
import { seedReplica } from '../support/replica/seed.js';
import type { Fault } from '../support/ucp/faults.js';
import { startUcpStandIn, type UcpStandInOptions } from '../support/ucp/stand-in.js';
import { joinEntries, splitEntries } from '../support/archive/tar-blocks.js';
import { backupFlags, type FaultCase } from './fault-case.js';

const ucpRows: readonly (readonly [string, Fault, number])[] = [
  ['refuses the password (401)', { kind: 'status', status: 401 }, 3],
  ['forbids it (403)', { kind: 'status', status: 403 }, 3],
  ['has too many requests (429), for ever', { kind: 'status', status: 429 }, 4],
  ['fails (500), for ever', { kind: 'status', status: 500 }, 4],
  ['is away behind its proxy (503), for ever', { kind: 'status', status: 503 }, 4],
  ['redirects to elsewhere', { kind: 'redirect', location: 'https://127.0.0.1:1/login' }, 4],
  ['answers with a page of HTML', { kind: 'html' }, 4],
  ['never answers', { kind: 'hang' }, 4],
  ['tears the connection, for ever', { kind: 'reset' }, 4],
  ['stops in the middle of its answer', { kind: 'stall' }, 4],
  ['cuts its answer', { kind: 'cut' }, 4],
];

function ucpFlags(url: string): string[] {
  const patience = ['--connect-timeout', '2', '--read-timeout', '2'];
  return ['backup', '--ucp-url', url, '--ucp-username', 'admin', ...patience];
}

const env = { UCP_PASSWORD: ucpPassword };

async function runOnStandIn(options: UcpStandInOptions, flags: string[] = []): Promise<Ended> {
  await using ucp = await startUcpStandIn({ username: 'admin', password: ucpPassword, ...options });
  return await runProgram([...ucpFlags(ucp.url), '--ucp-ca', ucp.caPem, ...flags], { env });
}

const certificates: readonly (readonly [string, () => UcpStandInOptions])[] = [
  ['has an expired certificate', () => ({ certificate: { notAfter: new Date(Date.now() - 3_600_000) } })],
  ['has a certificate of a foreign authority', () => ({ issuer: createAuthority('Another CA') })],
  ['has a certificate for another name', () => ({ certificate: { dnsNames: ['other.example'], ipAddresses: [] } })],
];

export const ucpCases: readonly FaultCase[] = [
  ...ucpRows.map(([fault, how, exitCode]): FaultCase => ({
    area: 'UCP',
    fault: `UCP ${fault}`,
    exitCode,
    verdict: 'nothing',
    run: async () => {
      await using ucp = await startUcpStandIn({ username: 'admin', password: ucpPassword });
      ucp.faults.add({ on: /./, fault: how });
      return await runProgram([...ucpFlags(ucp.url), '--ucp-insecure-tls'], { env });
    },
  })),
  ...certificates.map(([fault, options]): FaultCase => ({
    area: 'UCP',
    fault: `UCP ${fault}`,
    exitCode: 4,
    verdict: 'nothing',
    run: () => runOnStandIn(options()),
  })),
  {
    area: 'UCP',
    fault: 'the token expires in the middle of the run',
    exitCode: 0,
    verdict: 'whole',
    run: async () => {
      await using dtr = await startEmbeddedDtr();
      await seedReplica(dtr.rethinkdb, { repositories: 2, events: 10 }, dtr.identity);
      dtr.ucp.faults.add({ on: /^GET \/containers\/.*json/, fault: { kind: 'status', status: 401 }, times: 1 });
      const address = ['--rethinkdb-addr', `127.0.0.1:${dtr.rethinkdb.port}`, '--existing-replica-id', dtr.replicaId];
      return await runProgram([...ucpFlags(dtr.ucp.url), '--ucp-insecure-tls', ...address], { env });
    },
  },
];

const alterations: readonly (readonly [string, (archive: Buffer) => Buffer])[] = [
  ['cut in the middle', (archive) => archive.subarray(0, archive.length >> 1)],
  ['cut between two entries', (archive) => joinEntries(splitEntries(archive).entries.slice(0, 500), Buffer.alloc(0))],
  ['cut between two entries, and ended in order', withoutTail],
  ['without its end blocks', (archive) => archive.subarray(0, -1024)],
  ['without its last block', (archive) => archive.subarray(0, -512)],
  ['without one document', withoutEntry],
  ['with one bit turned in a document', turnBit],
  ['empty', () => Buffer.alloc(0)],
  ['a text', () => Buffer.from('not found\n')],
  ['gzip that is cut', (archive) => gzipSync(archive, { level: 1 }).subarray(0, -100_000)],
];

function withoutTail(archive: Buffer): Buffer {
  return joinEntries(splitEntries(archive).entries.slice(0, 500), Buffer.alloc(1024));
}

function withoutEntry(archive: Buffer): Buffer {
  const { entries, rest } = splitEntries(archive);
  return joinEntries(entries.toSpliced(-3, 1), rest);
}

function turnBit(archive: Buffer): Buffer {
  const altered = Buffer.from(archive);
  const at = altered.indexOf('jenkins', altered.length >> 1);
  altered[at] = (altered[at] ?? 0) ^ 1;
  return altered;
}

export const archiveCases: readonly FaultCase[] = alterations.map(([fault, alter]): FaultCase => ({
  area: 'archive',
  fault: `the archive is ${fault}: exit code of verify`,
  exitCode: 9,
  verdict: fault === 'empty' ? 'nothing' : 'refused',
  run: async ({ server }) => {
    const { stdout } = await runProgram(backupFlags(server));
    const altered = alter(stdout);
    return { ...(await runProgram(['verify', '-'], { stdin: altered })), stdout: altered };
  },
}));
