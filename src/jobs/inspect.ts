/** The inspect job: what is in an archive, ours or the vendor's, counted from its entries. It checks nothing but the tar. */
import { summarizeCertificateFile, type CertificateSummary } from '../archive/entries/certificates.js';
import type { DocumentBatch } from '../archive/entries/document-batch.js';
import type { ImageVerdict } from '../archive/images/image-verifier.js';
import { decodeManifest } from '../archive/manifest.js';
import { Findings } from '../archive/verify/findings.js';
import { JobError } from '../base/errors.js';
import type { Input } from '../model/archive-stream.js';
import type { Finding, FindingSink } from '../model/finding.js';
import type { Manifest, Plan } from '../model/manifest.js';
import { openReading, type MetadataReading } from './archive-reading.js';
import { RegistryTotals, type RegistryTotalsSummary } from './registry-totals.js';
import type { JobContext } from './job-context.js';

export interface Inspection {
  readonly kind: 'metadata';
  readonly root: string | undefined;
  /** Absent in a foreign archive, and where it cannot be read. */
  readonly plan: Plan | undefined;
  /** The same; absent also where the archive is cut short. */
  readonly manifest: Manifest | undefined;
  /** In the order of the archive. */
  readonly tables: readonly InspectedTable[];
  readonly certificates: readonly InspectedCertificate[];
  readonly totals: RegistryTotalsSummary;
  /** What is wrong with the tar; `verify` finds more. */
  readonly findings: readonly Finding[];
}

interface InspectedTable {
  readonly directory: string;
  readonly documentCount: number;
  /** Of its journal. */
  readonly changeCount: number;
  /** Of all documents together. */
  readonly bytes: number;
  /** Of the largest document. */
  readonly largestBytes: number;
}

export interface InspectedCertificate extends CertificateSummary {
  /** Below `certs/`. */
  readonly path: string;
  readonly bytes: number;
}

/** Throws only when the input cannot be read. */
export async function inspect(input: Input, context: JobContext): Promise<Inspection | ImageVerdict> {
  const findings = new Findings();
  const reading = await openReading(input, findings, context);
  return reading.kind === 'images' ? reading.verify() : inspectMetadata(reading, findings);
}

async function inspectMetadata({ items, reader }: MetadataReading, findings: Findings): Promise<Inspection> {
  const tables = new Map<string, InspectedTable>();
  const certificates: InspectedCertificate[] = [];
  const totals = new RegistryTotals();
  let plan: Plan | undefined;
  let manifest: Manifest | undefined;
  for await (const item of items) {
    if (item.kind === 'plan') ({ plan } = item);
    else if (item.kind === 'table') addTo(tables, item.directory);
    else if (item.kind === 'certificate') {
      certificates.push({ path: item.path, bytes: item.body.length, ...summarizeCertificateFile(item.body) });
    } else if (item.kind === 'manifest') manifest = readManifest(item.body, findings);
    else {
      addTo(tables, item.directory, item);
      if (item.kind === 'documents') totals.add(item);
    }
  }
  return {
    kind: 'metadata',
    root: reader.root,
    plan,
    manifest,
    tables: [...tables.values()],
    certificates,
    totals: totals.summary((name) => tables.get(name)?.documentCount),
    findings: findings.first,
  };
}

const nothingYet = { documentCount: 0, changeCount: 0, bytes: 0, largestBytes: 0 };

/** Sizes are those of documents alone. */
function addTo(tables: Map<string, InspectedTable>, directory: string, batch?: DocumentBatch): void {
  const table = tables.get(directory) ?? { directory, ...nothingYet };
  const { documentCount, changeCount, bytes, largestBytes } = table;
  if (batch?.kind === 'changes') tables.set(directory, { ...table, changeCount: changeCount + batch.count });
  else {
    tables.set(directory, {
      ...table,
      documentCount: documentCount + (batch?.count ?? 0),
      bytes: bytes + (batch?.bytes ?? 0),
      largestBytes: Math.max(largestBytes, batch?.largestBytes ?? 0),
    });
  }
}

function readManifest(body: Buffer, findings: FindingSink): Manifest | undefined {
  try {
    return decodeManifest(body);
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    findings.add(undefined, error.message);
    return undefined;
  }
}
