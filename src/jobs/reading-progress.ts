/** Tells an operator how far the reading of an archive is: a line every few seconds on long work. */
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import { formatBytes } from '../base/format.js';

const intervalMs = 5000;

export class ReadingProgress {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #sizeBytes: number | undefined;
  #shownMs: number;

  /** `sizeBytes` is that of the whole input, where it is known. */
  constructor(sizeBytes: number | undefined, { log, clock }: { readonly log: Log; readonly clock: Clock }) {
    this.#log = log;
    this.#clock = clock;
    this.#sizeBytes = sizeBytes;
    this.#startMs = clock.monotonicMs();
    this.#shownMs = this.#startMs;
  }

  /** Called often, with the bytes read so far. */
  advance(bytes: number): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#shownMs < intervalMs) return;
    this.#shownMs = nowMs;
    const bytesPerSecond = (bytes / (nowMs - this.#startMs)) * 1000;
    const isSizeKnown = this.#sizeBytes !== undefined && this.#sizeBytes >= bytes;
    const total = isSizeKnown ? ` of ${formatBytes(this.#sizeBytes)}` : '';
    const left = isSizeKnown ? `, about ${Math.ceil((this.#sizeBytes - bytes) / bytesPerSecond)} s left` : '';
    this.#log.progress(`Read ${formatBytes(bytes)}${total}, ${formatBytes(bytesPerSecond)}/s${left}`);
  }
}
