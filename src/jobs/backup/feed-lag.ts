/** Whether the reader of a feed keeps up with it, judged by when batches come and by their size. */
import type { Clock } from '../../base/clock.js';
import type { FeedPart } from '../../rethink/feed-elements.js';

/**
 * The server ends a batch of changes when its own form of them reaches 1 MiB, or when it has no more (`get_els` in
 * changefeed.cc, batching.cc of RethinkDB 2.4). Its form is at most 4.5 times as long as the text (numbers of one
 * digit), so a batch below this size has emptied the queue.
 */
const smallBatchBytes = 200 * 1024;

export class FeedLag {
  readonly #clock: Clock;
  /** Undefined while a batch is being written. */
  #waitingSinceMs: number | undefined;
  #startMs = 0;
  #batchCount = 0;
  #hasCaughtUp = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on, the answers are about what comes after this call. */
  restart(): void {
    this.#startMs = this.#clock.monotonicMs();
    this.#batchCount = 0;
    this.#hasCaughtUp = false;
  }

  /** Called before waiting for the next batch. */
  wait(): void {
    this.#waitingSinceMs = this.#clock.monotonicMs();
  }

  /** Called when it has come. */
  take(parts: readonly FeedPart[]): void {
    this.#waitingSinceMs = undefined;
    this.#batchCount += 1;
    const bytes = parts.reduce((sum, { lines }) => sum + lines.length, 0);
    // The first batch was asked for before the restart, and may have been made before it.
    if (this.#batchCount > 1 && bytes < smallBatchBytes) this.#hasCaughtUp = true;
  }

  /** For how long nothing has come. */
  get quietMs(): number {
    if (this.#waitingSinceMs === undefined) return 0;
    return this.#clock.monotonicMs() - Math.max(this.#waitingSinceMs, this.#startMs);
  }

  /** Whether every change from before the restart has been taken. */
  get hasCaughtUp(): boolean {
    return this.#hasCaughtUp;
  }
}
