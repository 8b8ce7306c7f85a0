/**
 * The exit codes of the process, on which operators and scripts rely; `--help` and docs/settings.md show the table. A
 * code never changes its meaning, and an unknown code is a failure.
 */
export const ExitCode = {
  done: 0,
  bug: 1,
  usage: 2,
  ucpRefused: 3,
  ucpUnreachable: 4,
  replica: 5,
  overlayNetwork: 6,
  rethinkdb: 7,
  output: 8,
  archiveInvalid: 9,
  restoreRefused: 10,
  consistency: 11,
  replicaDown: 12,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** One line for each exit code, in numeric order. */
export const exitCodeMeanings: readonly (readonly [ExitCode, string])[] = [
  [ExitCode.done, 'done'],
  [ExitCode.bug, 'a bug (with stack)'],
  [ExitCode.usage, 'usage or configuration, all faults listed at once'],
  [ExitCode.ucpRefused, 'UCP refused the credentials'],
  [ExitCode.ucpUnreachable, 'UCP unreachable or its TLS'],
  [ExitCode.replica, 'replica not found, ambiguous or unhealthy'],
  [ExitCode.overlayNetwork, 'overlay network'],
  [ExitCode.rethinkdb, 'RethinkDB (unreachable, refused, lost, a table unreadable)'],
  [
    ExitCode.output,
    'output closed, full or a terminal; or the image archive is whole, but files changed while they were read, or blobs are missing in the registry',
  ],
  [ExitCode.archiveInvalid, 'archive invalid, or images and metadata that do not fit'],
  [ExitCode.restoreRefused, 'restore refused, or another prune works in the same place'],
  [ExitCode.consistency, 'consistency could not be kept'],
  [ExitCode.replicaDown, 'backup good, but the replica did not come back up'],
  [ExitCode.interrupted, 'interrupted'],
  [ExitCode.terminated, 'terminated'],
];
