/** What `verify` prints on stdout: a line for each finding, or one with what was verified. */
import type { ImageVerdict } from '../archive/images/image-verifier.js';
import type { Verdict } from '../archive/verify/verifier.js';
import { formatBytes, formatCount } from '../base/format.js';
import { printable } from '../base/printable.js';
import type { Listed } from '../model/image-manifest.js';

/** Ends in a newline. */
export function verifyReport(verdict: Verdict | ImageVerdict, asJson: boolean): string {
  return asJson ? `${JSON.stringify(forPrograms(verdict), undefined, 2)}\n` : `${forPeople(verdict).join('\n')}\n`;
}

function forPeople(verdict: Verdict | ImageVerdict): string[] {
  const { state, findings, findingCount } = verdict;
  if (state === 'invalid') {
    const lines = findings.map(({ entry = 'the archive', reason }) => `${entry}: ${reason}`);
    return findingCount > findings.length ? [...lines, `and ${findingCount - findings.length} more`] : lines;
  }
  return verdict.kind === 'images' ? imageLines(verdict) : metadataLines(verdict);
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

function imageLines({ root, files, blobs, corrupt, references, manifest }: ImageVerdict): string[] {
  const held = manifest?.heldBefore ?? { count: 0, bytes: 0 };
  const elsewhere = `${formatCount(held.count)} blobs, ${formatBytes(held.bytes)}, are in the archives it was made --since`;
  const amount = `${formatCount(files.count)} files, ${formatBytes(files.bytes)}, ${formatCount(blobs.count)} blobs`;
  return [
    `${root}/: whole and unaltered: ${amount}`,
    ...(references.missing.count === 0
      ? []
      : [`but ${formatCount(references.missing.count)} that the registry needs are missing in it`]),
    ...(held.count === 0 ? [] : [elsewhere]),
    ...listed(corrupt, () => 'corrupt in the registry itself'),
    ...listed(references.missing, (why) => why),
  ];
}

function listed({ count, first }: Listed, text: (why: string) => string): string[] {
  const lines = first.map(({ path, why }) => `${printable(path)}: ${text(printable(why, 500))}`);
  return count > first.length ? [...lines, `and ${formatCount(count - first.length)} more`] : lines;
}

/** Without plan and manifest: `inspect --json` gives it. */
function forPrograms(verdict: Verdict | ImageVerdict): unknown {
  return { ...verdict, plan: undefined, manifest: undefined };
}
