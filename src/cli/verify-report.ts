/** What `verify` prints on stdout: a line for each finding, or one that says what was proved. */
import type { Verdict } from '../archive/verifier.js';
import { printable } from '../model/finding.js';

/** Ends in a newline. */
export function verifyReport(verdict: Verdict, asJson: boolean): string {
  return asJson ? `${JSON.stringify(forPrograms(verdict), undefined, 2)}\n` : `${forPeople(verdict).join('\n')}\n`;
}

function forPeople(verdict: Verdict): string[] {
  const { state, findings, findingCount, tableCount, documentCount, changeCount } = verdict;
  if (state === 'invalid') {
    const lines = findings.map(({ entry = 'the archive', reason }) => `${entry}: ${reason}`);
    return findingCount > findings.length ? [...lines, `and ${findingCount - findings.length} more`] : lines;
  }
  const amount = [
    `${documentCount.toLocaleString('en-US')} documents in ${tableCount} tables`,
    ...(changeCount === 0 ? [] : [`${changeCount.toLocaleString('en-US')} changes`]),
    `${verdict.certificateCount} certificate files`,
    verdict.areKeysProved ? 'primary keys unique' : 'uniqueness of primary keys not checked',
  ].join(', ');
  const root = printable(verdict.root ?? '');
  return state === 'whole'
    ? [`${root}/: whole and unaltered: ${amount}`]
    : [`${root}/: sound, as far as can be told without a manifest: ${amount}`];
}

/** Without the manifest: `inspect --json` gives it. */
function forPrograms({ manifest, ...verdict }: Verdict): unknown {
  return verdict;
}
