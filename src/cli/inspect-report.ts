/** What `inspect` prints on stdout. */
import type { ImageVerdict } from '../archive/images/image-verifier.js';
import { formatBytes, formatCount } from '../base/format.js';
import type { InspectedCertificate, Inspection } from '../jobs/inspect.js';
import type { Manifest } from '../model/manifest.js';
import { duration, inSections } from './columns.js';
import { imageSections } from './inspect-images-report.js';

/** Ends in a newline. */
export function inspectReport(inspection: Inspection | ImageVerdict, asJson: boolean): string {
  if (asJson) return `${JSON.stringify(inspection, undefined, 2)}\n`;
  if (inspection.kind === 'images') return inSections(imageSections(inspection));
  const sections = [
    head(inspection),
    tables(inspection),
    certificates(inspection.certificates),
    totals(inspection),
    (inspection.manifest?.leftOut ?? []).map(({ what, why }) => ['left out', `${what} (${why})`]),
    inspection.findings.map(({ entry, reason }) => ['finding', entry === undefined ? reason : `${entry}: ${reason}`]),
  ];
  return inSections(sections);
}

function head({ root, manifest }: Inspection): string[][] {
  const rows = [['archive', root === undefined ? 'unknown' : `${root}/`]];
  if (manifest === undefined) return [...rows, ['manifest', 'none: completeness cannot be verified']];
  return [
    ...rows,
    ['DTR version', manifest.dtrVersion],
    ['replica', manifest.replicaId ?? 'unknown'],
    ['RethinkDB', manifest.rethinkdbVersion],
    ['mode', manifest.mode],
    ['started', `${manifest.startedAt}, took ${duration(manifest)}`],
    ['encoding', manifest.documentEncoding],
    ['consistency', consistencyOf(manifest)],
    ['made by', `${manifest.tool.name} ${manifest.tool.version}`],
  ];
}

function consistencyOf({ consistency, tables }: Manifest): string {
  const restless = tables.filter(({ isCutInChanges }) => isCutInChanges === true);
  if (restless.length === 0) return consistency;
  return `${consistency}, cut while there was no pause in ${restless.map(({ name }) => name).join(', ')}`;
}

function tables({ tables, manifest }: Inspection): string[][] {
  if (tables.length === 0) return [];
  const hasChanges = tables.some(({ changeCount }) => changeCount > 0);
  const rows = tables.map(({ name, documentCount, changeCount, bytes, largestBytes }) => {
    const definition = manifest?.tables.find((table) => table.name === name);
    const indexes = definition?.indexes.map((index) => index.name).join(', ') ?? '';
    const fullName = definition === undefined ? name : `${definition.database}.${name}`;
    const changes = hasChanges ? [formatCount(changeCount)] : [];
    return [fullName, formatCount(documentCount), ...changes, formatBytes(bytes), formatBytes(largestBytes), indexes];
  });
  return [['table', 'documents', ...(hasChanges ? ['changes'] : []), 'bytes', 'largest', 'indexes'], ...rows];
}

function certificates(files: readonly InspectedCertificate[]): string[][] {
  if (files.length === 0) return [];
  const rows = files.map(({ path, bytes, subject, expiresAt, hasPrivateKey }) => [
    path,
    formatBytes(bytes),
    expiresAt?.slice(0, 'yyyy-mm-dd'.length) ?? '',
    [...(hasPrivateKey ? ['private key'] : []), ...(subject === undefined ? [] : [subject])].join(', '),
  ]);
  return [['certificate file', 'bytes', 'expires', 'holds'], ...rows];
}

function totals({ totals: known }: Inspection): string[][] {
  const span = known.firstEventAt === undefined ? '' : `, ${known.firstEventAt} to ${known.lastEventAt ?? ''}`;
  const rows: [string, number | undefined][] = [
    ['repositories', known.repositories],
    ['tags', known.tags],
    ['manifests', known.manifests],
    ['signed collections', known.signedCollections],
    ['scanned images', known.scannedImages],
    ['events', known.events],
  ];
  return rows.flatMap(([name, value]) => {
    return value === undefined ? [] : [[name, `${formatCount(value)}${name === 'events' ? span : ''}`]];
  });
}
