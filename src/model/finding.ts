/** What is wrong with an archive, in words for an operator. */
export interface Finding {
  /** The entry's path, fit for a terminal; absent where the archive as a whole is meant. */
  readonly entry?: string;
  readonly reason: string;
}

/**
 * Which archives a finding is about. Whether an archive is one of ours is known only at its end, when the manifest is
 * there or is not: `own` findings count only with a manifest, `foreign` ones only without.
 */
export type FindingScope = 'any' | 'own' | 'foreign';

/** Takes findings while an archive is read. `entry` is a path as the archive has it. */
export interface FindingSink {
  add(entry: string | undefined, reason: string, scope?: FindingScope): void;
}
