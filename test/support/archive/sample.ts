/** Small archives, sound or not, and what verify says of bytes. */
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { CertificateSet, type CertificateFile } from '#src/archive/entries/certificates.js';
import { checksumOf, encodeManifest } from '#src/archive/manifest.js';
import { withDirectories } from '#src/archive/plan.js';
import { linesOf } from './lines.js';
import type { Input, Output } from '#src/model/archive-stream.js';
import type { Verdict } from '#src/archive/verify/verifier.js';
import { unwrapInput } from '#src/archive/envelope/envelope.js';
import { systemClock } from '#src/base/clock.js';
import { ExitCode } from '#src/base/exit-codes.js';
import type { Log } from '#src/base/log.js';
import { inspect, type Inspection } from '#src/jobs/inspect.js';
import { verify } from '#src/jobs/verify.js';
import type { JobContext } from '#src/jobs/job-context.js';
import type { Manifest, Plan, PlannedTable } from '#src/model/manifest.js';
import type { DecryptionKeys } from '#src/model/envelope.js';
import { UncheckedWriter, type TableSink } from './unchecked-writer.js';

export interface SampleTable {
  readonly database?: string;
  readonly name: string;
  readonly primaryKey?: string;
  readonly texts: readonly string[];
  /** The table's journal, written when half of the next table's rows are in; with any, the consistency is `snapshot`. */
  readonly changes?: readonly string[];
}

export interface SampleOptions {
  readonly certificates?: readonly CertificateFile[];
  /** Changes the plan before it is written, and so checksummed. */
  readonly alterPlan?: (plan: Plan) => Plan;
  /** Changes the manifest before it is written, and so checksummed. */
  readonly alterManifest?: (manifest: Manifest) => Manifest;
  /** `sampleStart` when left out. */
  readonly startedAt?: Date;
  /** Each journal in the middle of its own table's rows instead. */
  readonly journalsInside?: boolean;
  /** One that takes any text when left out. */
  readonly openWriter?: (output: Output, plan: Plan) => Promise<SampleWriter>;
}

export interface SampleWriter extends Pick<UncheckedWriter, 'table'> {
  finish(...args: Parameters<UncheckedWriter['finish']>): Promise<unknown>;
}

export const sampleStart = new Date('2026-11-23T10:00:00.250Z');
export const sampleRoot = 'dtr-backup-v2.9.4-online';

export const sampleTables: readonly SampleTable[] = [
  { name: 'empty', texts: [] },
  {
    name: 'tags',
    primaryKey: 'pk',
    texts: ['{"name":"latest","pk":"a/b:latest"}', '{"name":"é","pk":"a/b:é"}', '{"pk":"😀","size":9007199254740993}'],
  },
  {
    database: 'notaryserver',
    name: 'tuf_files',
    primaryKey: 'gun_role_version',
    texts: [
      '{"data":{"$reql_type$":"BINARY","data":"AAEC"},"gun":"r/a","gun_role_version":["r/a","root",1]}',
      '{"data":{"$reql_type$":"BINARY","data":"AAEC"},"gun":"r/a","gun_role_version":["r/a","root",2]}',
    ],
  },
];

/** Each type of change, on tables before, in and after the one whose rows stand around them. */
export const sampleJournal: readonly SampleTable[] = [
  {
    name: 'properties',
    primaryKey: 'key',
    texts: ['{"key":"b","value":1}', '{"key":"a","value":1}'],
    changes: [
      '{"new_val":{"key":"c","value":1},"old_val":null,"type":"add"}',
      '{"new_val":{"key":"a","value":2},"old_val":{"key":"a","value":1},"type":"change"}',
      '{"new_val":null,"old_val":{"key":"b","value":1},"type":"remove"}',
    ],
  },
  { name: 'quiet', texts: [] },
  {
    name: 'tags',
    primaryKey: 'pk',
    texts: ['{"pk":"a/b:latest"}', '{"pk":"a/b:1"}'],
    changes: ['{"old_val":{"pk":"a/b:1"},"type":"uninitial"}'],
  },
];

export const sampleCertificates: readonly CertificateFile[] = [
  {
    path: 'ca/rethink/cert.pem',
    body: Buffer.from('-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n'),
  },
  { path: 'notary/schlüssel.pem', body: Buffer.from('-----BEGIN EC PRIVATE KEY-----\n') },
];

/** The bytes of a whole archive: the same as our writer's (writer.test.ts), but for texts that it refuses. */
export async function makeArchive(
  tables: readonly SampleTable[] = sampleTables,
  options: SampleOptions = {},
): Promise<Buffer> {
  const { certificates = [], journalsInside = false, startedAt = sampleStart } = options;
  const { alterPlan = (plan: Plan) => plan, alterManifest = (manifest: Manifest) => manifest } = options;
  const { openWriter = UncheckedWriter.open.bind(UncheckedWriter) } = options;
  const { output, bytes } = memoryOutput();
  const planned = tables.map(({ database = 'dtr2', name, primaryKey = 'id' }) => {
    return { database, name, primaryKey, indexes: [], writeHook: null };
  });
  const plan = alterPlan({
    formatVersion: 1,
    tool: { name: 'dtr-backup', version: '0.0.0' },
    dtrVersion: '2.9.4',
    rethinkdbVersion: '2.4.4',
    mode: 'online',
    consistency: tables.some(({ changes = [] }) => changes.length > 0) ? 'snapshot' : 'scan',
    documentEncoding: 'reql',
    startedAt: startedAt.toISOString(),
    leftOut: [],
    tables: withDirectories(planned),
  });
  const writer = await openWriter(output, plan);
  const written: TableSink[] = [];
  for (const [index, { texts }] of tables.entries()) {
    const table = plan.tables[index] ?? { ...withDirectories(planned)[index], directory: tables[index]?.name };
    const entries = await writer.table(table as PlannedTable);
    written.push(entries);
    const half = Math.ceil(texts.length / 2);
    await entries.documents.add(linesOf(texts.slice(0, half)));
    const due = journalsInside ? index : index - 1;
    await written[due]?.changes.add(linesOf(tables[due]?.changes));
    await entries.documents.add(linesOf(texts.slice(half)));
  }
  if (!journalsInside) await written.at(-1)?.changes.add(linesOf(tables.at(-1)?.changes));
  const set = new CertificateSet(certificates, ExitCode.usage);
  const manifest: Manifest = {
    formatVersion: 1,
    planChecksum: checksumOf(encodeManifest(plan)) ?? '',
    finishedAt: startedAt.toISOString(),
    tables: written.map(({ documents, changes }, index) => {
      const directory = plan.tables[index]?.directory ?? tables[index]?.name ?? '';
      return { directory, documents: documents.checksums, changes: changes.checksums };
    }),
    certificates: [...set.described],
  };
  await writer.finish(alterManifest(manifest), set);
  return bytes();
}

export function memoryOutput(): { output: Output; bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  const output: Output = {
    name: 'memory',
    // The writer uses its buffers again.
    write: (chunk) => Promise.resolve(void chunks.push(Buffer.from(chunk))),
    commit: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return { output, bytes: () => Buffer.concat(chunks) };
}

const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  fatal: () => undefined,
  progress: () => undefined,
};

export const silentContext: JobContext = {
  log: silentLog,
  clock: systemClock,
  signal: new AbortController().signal,
  hostName: 'test',
  temporaryDirectory: tmpdir(),
  readFile: () => Promise.reject(new Error('no files here')),
};

/** What verify says of these bytes, coming in chunks of this size. */
export async function verifyBytes(archive: Buffer, chunkBytes = 65536, keys: DecryptionKeys = {}): Promise<Verdict> {
  const verdict = await verify(await unwrapInput(inputOf(archive, chunkBytes), keys), silentContext);
  if (verdict.kind !== 'metadata') throw new Error('taken for an image archive');
  return verdict;
}

export async function inspectBytes(archive: Buffer): Promise<Inspection> {
  const inspection = await inspect(await unwrapInput(inputOf(archive, 65536), {}), silentContext);
  if (inspection.kind !== 'metadata') throw new Error('taken for an image archive');
  return inspection;
}

export function inputOf(archive: Buffer, chunkBytes: number): Input {
  return {
    name: 'memory',
    chunks: Readable.from(chunksOf(archive, chunkBytes)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

export function* chunksOf(archive: Buffer, chunkBytes: number): Generator<Buffer> {
  for (let start = 0; start < archive.length; start += chunkBytes) yield archive.subarray(start, start + chunkBytes);
}

/** The findings as the command prints them. */
export function lines({ findings }: Pick<Verdict, 'findings'>): string[] {
  return findings.map(({ entry, reason }) => `${entry ?? 'the archive'}: ${reason}`);
}
