/** What is wrong with an archive, in words for an operator. */
export interface Finding {
  /** The entry's path, fit for a terminal; absent where the archive as a whole is meant. */
  readonly entry?: string;
  readonly reason: string;
}

/** Takes findings while an archive is read. `entry` is a path as the archive has it. */
export interface FindingSink {
  add(entry: string | undefined, reason: string): void;
}
