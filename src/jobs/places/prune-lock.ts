/**
 * The lock that keeps two prunes of one place apart: a small file in it. Advisory, and no more certain than `writeText` of
 * the store: two prunes at once would harm nothing, as each keeps the newest. A run that is killed leaves it behind.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Log } from '../../base/log.js';
import { printable } from '../../base/printable.js';
import { lockName, type ArchivePlace } from './archive-list.js';

const holderSchema = z.object({ owner: z.string(), startedAt: z.iso.datetime(), token: z.string() });
type Holder = z.infer<typeof holderSchema>;

/** Between two attempts another run must have taken and released the lock. */
const maxAttempts = 5;

interface LockOptions {
  /** This machine, for others to read. */
  readonly owner: string;
  readonly startedAt: Date;
  /** Takes it from any holder. */
  readonly isForced: boolean;
  readonly log: Log;
}

export class PruneLock implements AsyncDisposable {
  readonly #place: ArchivePlace;
  readonly #log: Log;
  readonly #token = randomUUID();

  private constructor(place: ArchivePlace, log: Log) {
    this.#place = place;
    this.#log = log;
  }

  /** Throws a JobError with exit code 10 where another run has it, 8 where it cannot be written, 2 where it cannot be read. */
  static async take(place: ArchivePlace, { owner, startedAt, isForced, log }: LockOptions): Promise<PruneLock> {
    const { store } = place;
    const path = pathIn(place);
    const lock = new PruneLock(place, log);
    const holder: Holder = { owner, startedAt: startedAt.toISOString(), token: lock.#token };
    if (isForced) {
      const before = await readHolder(place).catch(() => 'unreadable' as const);
      if (before !== undefined) log.warn(`Breaking the lock ${store.nameOf(path)} of ${describe(before)}`);
    }
    const text = `${JSON.stringify(holder, undefined, 2)}\n`;
    const attempt = async (): Promise<Holder | 'unreadable' | undefined> => {
      await store.writeText(path, text, { replaces: isForced });
      return readHolder(place);
    };
    try {
      let after = await attempt();
      for (let attempts = 1; after === undefined && attempts < maxAttempts; attempts += 1) after = await attempt();
      // What is there now decides, also where another run was first, or replaced it at the same time.
      if (isHeldBy(lock.#token, after)) return lock;
      throw heldByAnother(place, after);
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Throws a JobError with exit code 10 where another run has taken it, 2 where it cannot be read. */
  async assertHeld(): Promise<void> {
    const holder = await readHolder(this.#place);
    if (isHeldBy(this.#token, holder)) return;
    const message = `the lock of this prune is that of another now: ${describe(holder)}`;
    throw new JobError(ExitCode.restoreRefused, `${message}; this one removes nothing more`);
  }

  /** Throws nothing: a lock that stays is logged. */
  async [Symbol.asyncDispose](): Promise<void> {
    const path = pathIn(this.#place);
    try {
      if (isHeldBy(this.#token, await readHolder(this.#place))) await this.#place.store.remove(path);
    } catch (error) {
      const name = this.#place.store.nameOf(path);
      this.#log.warn(`The lock ${name} stays: ${errorText(error)}; --break-lock takes it in the next run`);
    }
  }
}

function pathIn({ directory }: ArchivePlace): string {
  return `${directory}${lockName}`;
}

function heldByAnother({ store, directory }: ArchivePlace, holder: Holder | 'unreadable' | undefined): JobError {
  const message = `another prune works in ${store.nameOf(directory)}: ${describe(holder)}`;
  return new JobError(ExitCode.restoreRefused, `${message}; where it was killed, --break-lock takes its lock`);
}

/** Undefined where there is none. */
async function readHolder(place: ArchivePlace): Promise<Holder | 'unreadable' | undefined> {
  const text = await place.store.readText(pathIn(place));
  if (text === undefined) return undefined;
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return 'unreadable';
  }
}

function isHeldBy(token: string, holder: Holder | 'unreadable' | undefined): boolean {
  return typeof holder === 'object' && holder.token === token;
}

function describe(holder: Holder | 'unreadable' | undefined): string {
  if (holder === undefined) return 'nobody, as it was removed';
  if (holder === 'unreadable') return 'an unknown holder, as its file is not a lock of ours';
  return `${printable(holder.owner)}, which began at ${holder.startedAt}`;
}
