/** The inspect job: what is in an archive, ours or the vendor's, counted from its entries. Of metadata it proves nothing. */
import { summarizeCertificateFile, type CertificateSummary } from '../archive/entries/certificates.js';
import { Findings } from '../archive/verify/findings.js';
import { verifyImages, type ImageVerdict } from '../archive/images/image-verifier.js';
import type { Input } from '../model/archive-stream.js';
import { decodeManifest } from '../archive/manifest.js';
import { ArchiveReader } from '../archive/read/reader.js';
import { recognise } from '../archive/envelope/recognition.js';
import type { DocumentBatch } from '../archive/entries/document-batch.js';
import { JobError } from '../base/errors.js';
import type { Finding } from '../model/finding.js';
import type { Manifest } from '../model/manifest.js';
import { RegistryTotals, type RegistryTotalsSummary } from './images/registry-totals.js';
import { ReadingProgress } from './reading-progress.js';
import type { JobContext } from './job-context.js';

export interface Inspection {
  readonly kind: 'metadata';
  readonly root: string | undefined;
  /** Absent in a foreign archive, and where it cannot be read. */
  readonly manifest: Manifest | undefined;
  /** In the order of the archive. */
  readonly tables: readonly InspectedTable[];
  readonly certificates: readonly InspectedCertificate[];
  readonly totals: RegistryTotalsSummary;
  /** What the reader stumbled over; `verify` finds more. */
  readonly findings: readonly Finding[];
}

export interface InspectedTable {
  readonly name: string;
  readonly documentCount: number;
  /** Of its journal. */
  readonly changeCount: number;
  readonly bytes: number;
  readonly largestBytes: number;
}

export interface InspectedCertificate extends CertificateSummary {
  /** Below `certs/`. */
  readonly path: string;
  readonly bytes: number;
}

/** Throws only when the input cannot be read. */
export async function inspect(input: Input, context: JobContext): Promise<Inspection | ImageVerdict> {
  const progress = new ReadingProgress(input.sizeBytes, context);
  const { imageRoot, chunks } = await recognise(input.chunks);
  if (imageRoot !== undefined) {
    return verifyImages(chunks, imageRoot, { onProgress: (bytes) => progress.advance(bytes) });
  }
  return inspectMetadata(chunks, progress);
}

async function inspectMetadata(chunks: AsyncIterable<Buffer>, progress: ReadingProgress): Promise<Inspection> {
  const findings = new Findings();
  const reader = new ArchiveReader(chunks, findings);
  const tables = new Map<string, InspectedTable>();
  const certificates: InspectedCertificate[] = [];
  const totals = new RegistryTotals();
  let manifest: Manifest | undefined;
  let hasManifest = false;
  for await (const item of reader.items()) {
    if (item.kind === 'table') addTo(tables, item.table);
    else if (item.kind === 'certificate') {
      certificates.push({ path: item.path, bytes: item.body.length, ...summarizeCertificateFile(item.body) });
    } else if (item.kind === 'manifest') {
      hasManifest = true;
      manifest = readManifest(item.body, findings);
    } else {
      addTo(tables, item.table, item);
      if (item.kind === 'documents') totals.add(item);
    }
    progress.advance(reader.position);
  }
  return {
    kind: 'metadata',
    root: reader.root,
    manifest,
    tables: [...tables.values()],
    certificates,
    totals: totals.summary((name) => tables.get(name)?.documentCount),
    findings: findings.first(hasManifest),
  };
}

const nothingYet = { documentCount: 0, changeCount: 0, bytes: 0, largestBytes: 0 };

/** Sizes are those of documents alone. */
function addTo(tables: Map<string, InspectedTable>, name: string, batch?: DocumentBatch): void {
  const table = tables.get(name) ?? { name, ...nothingYet };
  const { documentCount, changeCount, bytes, largestBytes } = table;
  if (batch?.kind === 'changes') tables.set(name, { ...table, changeCount: changeCount + batch.count });
  else {
    tables.set(name, {
      ...table,
      documentCount: documentCount + (batch?.count ?? 0),
      bytes: bytes + (batch?.bytes ?? 0),
      largestBytes: Math.max(largestBytes, batch?.largestBytes ?? 0),
    });
  }
}

function readManifest(body: Buffer, findings: Findings): Manifest | undefined {
  try {
    return decodeManifest(body);
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    findings.add(undefined, error.message);
    return undefined;
  }
}
