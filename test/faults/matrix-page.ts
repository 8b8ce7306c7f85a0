/** docs/faults.md, from what a run of the fault matrix has seen. */
import type { ArchiveVerdict } from './fault-case.js';

export interface MatrixRow {
  readonly area: string;
  readonly fault: string;
  readonly exitCode: number | string;
  readonly verdict: ArchiveVerdict;
  readonly leftBehind: readonly string[];
  readonly seconds: number;
}

export function matrixPage(rows: readonly MatrixRow[], server: string, date: Date): string {
  const falseSuccesses = rows.filter(({ exitCode, verdict }) => exitCode === 0 && verdict !== 'whole').length;
  const cells = rows.map(({ area, fault, exitCode, verdict, leftBehind, seconds }) =>
    [area, fault, exitCode, verdict, leftBehind.join(', ') || 'nothing', `${seconds.toFixed(1)} s`].join(' | '),
  );
  return `# Faults

Written by \`npm run faults\` from what a run has seen, not by hand: on ${server}, Node ${process.versions.node},
${date.toISOString().slice(0, 10)}. Each fault is done to the real program, with a server and a proxy of its own; \`verify\` then judges
whatever had been written. Two seconds of patience (\`--connect-timeout\`, \`--read-timeout\`); consistency \`scan\`, but
for the rows of snapshots.

${rows.length} faults, ${falseSuccesses} false successes: exit code 0 with anything but a whole archive.

<!-- prettier-ignore -->
| area | fault | exit code | what \`verify\` says of what was written | left behind | took |
| --- | --- | --- | --- | --- | --- |
${cells.map((row) => `| ${row} |`).join('\n')}
`;
}
