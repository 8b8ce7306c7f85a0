/** Tells an operator how far a backup is: a line per table begun and finished, and on long work one every few seconds. */
import type { Output } from '../model/archive-stream.js';
import type { Clock } from '../base/clock.js';
import { formatBytes, formatCount } from '../base/format.js';
import type { Log } from '../base/log.js';
import { qualifiedName, type CatalogTable } from '../model/table.js';

const intervalMs = 5000;

/** How much of one table has been laid into the archive. */
export interface Amount {
  readonly count: number;
  readonly bytes: number;
}

export class BackupProgress {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #startMs: number;
  /** Documents expected over all tables, by the server's own estimates; undefined where it gives none. */
  readonly #expectedCount: number | undefined;
  #shownMs: number;
  #finished: Amount = { count: 0, bytes: 0 };

  constructor(tables: readonly CatalogTable[], { log, clock }: { readonly log: Log; readonly clock: Clock }) {
    this.#log = log;
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
    this.#shownMs = this.#startMs;
    const estimates = tables.map(({ estimatedDocumentCount }) => estimatedDocumentCount);
    this.#expectedCount = estimates.includes(undefined)
      ? undefined
      : estimates.reduce<number>((sum, estimate) => sum + (estimate ?? 0), 0);
  }

  begin(table: CatalogTable): void {
    const { estimatedDocumentCount: estimate } = table;
    const expected = estimate === undefined ? '' : `, about ${formatCount(estimate)} documents`;
    this.#log.debug(`Reading ${qualifiedName(table)}${expected}`);
  }

  /** Called after every batch; shows a line when the last one is long enough ago. */
  advance(table: CatalogTable, amount: Amount): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#shownMs < intervalMs) return;
    this.#shownMs = nowMs;
    const total = { count: this.#finished.count + amount.count, bytes: this.#finished.bytes + amount.bytes };
    const seconds = (nowMs - this.#startMs) / 1000;
    const rate = `${formatCount(total.count / seconds)} documents/s, ${formatBytes(total.bytes / seconds)}/s`;
    this.#log.progress(`Reading ${qualifiedName(table)}: ${describe(total)}, ${rate}${this.#timeLeft(total, seconds)}`);
  }

  end(table: CatalogTable, documents: Amount): void {
    this.#finished = { count: this.#finished.count + documents.count, bytes: this.#finished.bytes + documents.bytes };
    this.#log.info(`Read ${qualifiedName(table)}: ${describe(documents)}`);
  }

  /** Everything finished so far, in words. */
  get total(): string {
    return describe(this.#finished);
  }

  #timeLeft({ count }: Amount, seconds: number): string {
    if (this.#expectedCount === undefined || count === 0 || this.#expectedCount <= count) return '';
    return `, about ${Math.ceil(((this.#expectedCount - count) / count) * seconds)} s left`;
  }
}

function describe({ count, bytes }: Amount): string {
  return `${formatCount(count)} documents, ${formatBytes(bytes)}`;
}

/** What was put around an archive, and how large that made it; empty for nothing. */
export function describeWrapped({ wrapped }: Output): string {
  return wrapped === undefined ? '' : `, ${wrapped.how}: ${formatBytes(wrapped.bytes)}`;
}
