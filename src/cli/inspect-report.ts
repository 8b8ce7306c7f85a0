/** What `inspect` prints on stdout. */
import type { ImageVerdict } from '../archive/images/image-verifier.js';
import { formatBytes, formatCount } from '../base/format.js';
import type { InspectedCertificate, Inspection } from '../jobs/inspect.js';
import type { Manifest } from '../model/manifest.js';
import { qualifiedName } from '../model/table.js';
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
    (inspection.plan?.leftOut ?? []).map(({ what, why }) => ['left out', `${what} (${why})`]),
    inspection.findings.map(({ entry, reason }) => ['finding', entry === undefined ? reason : `${entry}: ${reason}`]),
  ];
  return inSections(sections);
}

function head({ root, plan, manifest, tables }: Inspection): string[][] {
  const rows = [['archive', root === undefined ? 'unknown' : `${root}/`]];
  if (plan === undefined) return [...rows, ['manifest', 'none: completeness cannot be verified']];
  const took = manifest === undefined ? '' : `, took ${duration({ ...plan, ...manifest })}`;
  return [
    ...rows,
    ...(manifest === undefined
      ? [['manifest', `none: it is not whole; ${tables.length} of ${plan.tables.length} tables are there`]]
      : []),
    ['DTR version', plan.dtrVersion],
    ['replica', plan.replicaId ?? 'unknown'],
    ['RethinkDB', plan.rethinkdbVersion],
    ['mode', plan.mode],
    ['started', `${plan.startedAt}${took}`],
    ['encoding', plan.documentEncoding],
    ['consistency', `${plan.consistency}${restlessTables(manifest)}`],
    ['made by', `${plan.tool.name} ${plan.tool.version}`],
  ];
}

function restlessTables(manifest: Manifest | undefined): string {
  const restless = manifest?.tables.filter(({ isCutInChanges }) => isCutInChanges === true) ?? [];
  if (restless.length === 0) return '';
  return `, cut while there was no pause in ${restless.map(({ directory }) => directory).join(', ')}`;
}

function tables({ tables, plan }: Inspection): string[][] {
  if (tables.length === 0) return [];
  const hasChanges = tables.some(({ changeCount }) => changeCount > 0);
  const planned = new Map(plan?.tables.map((table) => [table.directory, table]));
  const rows = tables.map(({ directory, documentCount, changeCount, bytes, largestBytes }) => {
    const definition = planned.get(directory);
    const indexes = definition?.indexes.map((index) => index.name).join(', ') ?? '';
    const name = definition === undefined ? directory : qualifiedName(definition);
    const changes = hasChanges ? [formatCount(changeCount)] : [];
    return [name, formatCount(documentCount), ...changes, formatBytes(bytes), formatBytes(largestBytes), indexes];
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
