/** Shows how far the reading of an archive is. */
import { Ticker } from '../base/clock.js';
import { formatBytes } from '../base/format.js';
import type { JobContext } from './job-context.js';

export class ReadingProgress {
  readonly #log: JobContext['log'];
  readonly #ticker: Ticker;
  readonly #sizeBytes: number | undefined;

  /** `sizeBytes` is that of the whole input, where it is known. */
  constructor(sizeBytes: number | undefined, { log, clock }: Pick<JobContext, 'log' | 'clock'>) {
    this.#log = log;
    this.#ticker = new Ticker(clock);
    this.#sizeBytes = sizeBytes;
  }

  /** Called often, with the bytes read so far. */
  advance(bytes: number): void {
    this.#ticker.tick((seconds) => {
      const rate = bytes / seconds;
      const size = this.#sizeBytes !== undefined && this.#sizeBytes >= bytes ? this.#sizeBytes : undefined;
      const total = size === undefined ? '' : ` of ${formatBytes(size)}`;
      const left = size === undefined ? '' : `, about ${Math.ceil((size - bytes) / rate)} s left`;
      this.#log.progress(`Read ${formatBytes(bytes)}${total}, ${formatBytes(rate)}/s${left}`);
    });
  }
}
