/** What `verify` prints on stdout: a line for each finding, or one with what was verified. */
import type { Verdict } from '../archive/verify/verifier.js';
import { formatBytes, formatCount } from '../base/format.js';
import { printable } from '../base/printable.js';
import type { BackupVerdict } from '../jobs/images/metadata-check.js';
import type { MetadataFit } from '../jobs/images/metadata-fit.js';
import type { Listed } from '../model/image-manifest.js';

/** Ends in a newline. */
export function verifyReport(verdict: Verdict | BackupVerdict, asJson: boolean): string {
  return asJson ? `${JSON.stringify(forPrograms(verdict), undefined, 2)}\n` : `${forPeople(verdict).join('\n')}\n`;
}

function forPeople(verdict: Verdict | BackupVerdict): string[] {
  const { state, findings, findingCount } = verdict;
  if (state === 'invalid') {
    const lines = findings.map(({ entry = 'the archive', reason }) => `${entry}: ${reason}`);
    return findingCount > findings.length ? [...lines, `and ${findingCount - findings.length} more`] : lines;
  }
  if (verdict.kind === 'metadata') return metadataLines(verdict);
  return [...imageLines(verdict), ...(verdict.metadata === undefined ? [] : fitLines(verdict.metadata))];
}

function metadataLines(verdict: Verdict): string[] {
  const { state, tableCount, documentCount, changeCount } = verdict;
  const amount = [
    `${formatCount(documentCount)} documents in ${tableCount} tables`,
    ...(changeCount === 0 ? [] : [`${formatCount(changeCount)} changes`]),
    `${verdict.certificateCount} certificate files`,
    verdict.areKeysChecked ? 'primary keys unique' : 'uniqueness of primary keys not checked',
  ].join(', ');
  const root = printable(verdict.root ?? '');
  return state === 'whole'
    ? [`${root}/: whole and unaltered: ${amount}`]
    : [`${root}/: sound, as far as can be told without a manifest: ${amount}`];
}

function imageLines({
  root,
  files,
  blobs,
  blobsById,
  corrupt,
  references,
  manifest,
  metadata,
}: BackupVerdict): string[] {
  const held = manifest?.heldBefore ?? { count: 0, bytes: 0 };
  const elsewhere = `${formatCount(held.count)} blobs, ${formatBytes(held.bytes)}, are in the archives it was made --since`;
  const amount = `${formatCount(files.count)} files, ${formatBytes(files.bytes)}, ${formatCount(blobs.count)} blobs`;
  const byId = `${formatCount(blobsById.count)} of the blobs are stored by id: only --metadata tells whether they are corrupt`;
  return [
    `${root}/: whole and unaltered: ${amount}`,
    ...(references.missing.count === 0
      ? []
      : [`but ${formatCount(references.missing.count)} that the registry needs are missing in it`]),
    ...(held.count === 0 ? [] : [elsewhere]),
    ...(blobsById.count === 0 || metadata !== undefined ? [] : [byId]),
    ...listed(corrupt, () => 'corrupt in the registry itself'),
    ...listed(references.missing, (why) => why),
  ];
}

function fitLines({ tags, affectedTags, manifests, blobs, uncompared, unnamed, misfits }: MetadataFit): string[] {
  const named = `${formatCount(tags)} tags, ${formatCount(manifests)} manifests, ${formatCount(blobs.count)} blobs`;
  const isWhole = blobs.missing + blobs.corrupt === 0;
  const lost = `${formatCount(blobs.missing)} blobs are missing, ${formatCount(blobs.corrupt)} corrupt`;
  const lines = misfits.first.map(({ place, digest, path, why }) => {
    return `${printable(place ?? '(no manifest)', 500)}: ${digest} ${why}: ${printable(path, 500)}`;
  });
  return [
    isWhole
      ? `fits the metadata: all that it names is there and unaltered: ${named}`
      : `does not fit the metadata, which names ${named}: ${lost}, ${formatCount(affectedTags)} tags are affected`,
    ...(uncompared === 0 ? [] : [`${formatCount(uncompared)} blobs with a digest other than SHA-256 are not compared`]),
    ...(unnamed === 0 ? [] : [`${formatCount(unnamed)} blobs are there that the metadata does not name`]),
    ...lines,
    ...(misfits.count > lines.length ? [`and ${formatCount(misfits.count - lines.length)} more`] : []),
  ];
}

function listed({ count, first }: Listed, text: (why: string) => string): string[] {
  const lines = first.map(({ path, why }) => `${printable(path)}: ${text(printable(why, 500))}`);
  return count > first.length ? [...lines, `and ${formatCount(count - first.length)} more`] : lines;
}

/** Without plan and manifest: `inspect --json` gives it. */
function forPrograms(verdict: Verdict | BackupVerdict): unknown {
  return { ...verdict, plan: undefined, manifest: undefined };
}
