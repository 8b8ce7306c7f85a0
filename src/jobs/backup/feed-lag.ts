/** Whether what follows a feed keeps up with it: told by when batches come, and how large they are. */
import type { Clock } from '../../base/clock.js';
import type { FeedPart } from '../../rethink/feed-elements.js';

/**
 * The server ends a batch of changes when its own form of them has 1 MiB, or where it has no more of them (`get_els` in
 * changefeed.cc, batching.cc of RethinkDB 2.4). Its form is at most 4.5 times as long as the text (numbers of one
 * digit), so one below this has emptied its queue.
 */
const smallBatchBytes = 200 * 1024;

export class FeedLag {
  readonly #clock: Clock;
  /** Since when nothing has come though it was waited for; absent while a batch is being written. */
  #waitingSinceMs: number | undefined;
  #startMs = 0;
  #batches = 0;
  #hasCaughtUp = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Forgets what it has seen, so that all it says is of what comes from now on. */
  restart(): void {
    this.#startMs = this.#clock.monotonicMs();
    this.#batches = 0;
    this.#hasCaughtUp = false;
  }

  /** Called when the next batch is waited for. */
  wait(): void {
    this.#waitingSinceMs = this.#clock.monotonicMs();
  }

  /** Called when it has come. */
  take(parts: readonly FeedPart[]): void {
    this.#waitingSinceMs = undefined;
    this.#batches += 1;
    const bytes = parts.reduce((sum, { lines }) => sum + lines.length, 0);
    // The first batch after the restart was asked for before, and may have been made before.
    if (this.#batches > 1 && bytes < smallBatchBytes) this.#hasCaughtUp = true;
  }

  /** For how long it has been waited for what did not come. */
  get quietMs(): number {
    if (this.#waitingSinceMs === undefined) return 0;
    return this.#clock.monotonicMs() - Math.max(this.#waitingSinceMs, this.#startMs);
  }

  /** Whether every change up to the restart has been taken. */
  get hasCaughtUp(): boolean {
    return this.#hasCaughtUp;
  }
}
