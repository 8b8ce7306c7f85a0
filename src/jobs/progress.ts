/** Shows how far a backup is: a line per table when it is done, and on long work one every few seconds. */
import type { Output } from '../model/archive-stream.js';
import { Ticker } from '../base/clock.js';
import { formatBytes, formatCount } from '../base/format.js';
import { qualifiedName, type CatalogTable } from '../model/table.js';
import type { JobContext } from './job-context.js';

/** Documents, and the bytes of their text. */
export interface Amount {
  readonly count: number;
  readonly bytes: number;
}

export class BackupProgress {
  readonly #log: JobContext['log'];
  readonly #ticker: Ticker;
  /** Over all tables, by the server's estimates; NaN where one is missing. */
  readonly #expectedCount: number;
  #finished: Amount = { count: 0, bytes: 0 };

  constructor(tables: readonly CatalogTable[], { log, clock }: Pick<JobContext, 'log' | 'clock'>) {
    this.#log = log;
    this.#ticker = new Ticker(clock);
    this.#expectedCount = tables.reduce(
      (sum, { estimatedDocumentCount = Number.NaN }) => sum + estimatedDocumentCount,
      0,
    );
  }

  begin(table: CatalogTable): void {
    const { estimatedDocumentCount: estimate } = table;
    const expected = estimate === undefined ? '' : `, about ${formatCount(estimate)} documents`;
    this.#log.debug(`Reading ${qualifiedName(table)}${expected}`);
  }

  /** Called after every batch, with what has been read of this table. */
  advance(table: CatalogTable, amount: Amount): void {
    this.#ticker.tick((seconds) => {
      const total = sum(this.#finished, amount);
      const rate = `${formatCount(total.count / seconds)} documents/s, ${formatBytes(total.bytes / seconds)}/s`;
      const secondsLeft = Math.ceil((this.#expectedCount / total.count - 1) * seconds);
      const left = secondsLeft > 0 && secondsLeft < Infinity ? `, about ${secondsLeft} s left` : '';
      this.#log.progress(`Reading ${qualifiedName(table)}: ${describe(total)}, ${rate}${left}`);
    });
  }

  end(table: CatalogTable, documents: Amount): void {
    this.#finished = sum(this.#finished, documents);
    this.#log.info(`Read ${qualifiedName(table)}: ${describe(documents)}`);
  }

  /** Everything finished so far, for messages. */
  get total(): string {
    return describe(this.#finished);
  }
}

function sum(one: Amount, other: Amount): Amount {
  return { count: one.count + other.count, bytes: one.bytes + other.bytes };
}

function describe({ count, bytes }: Amount): string {
  return `${formatCount(count)} documents, ${formatBytes(bytes)}`;
}

/** How an archive is compressed or encrypted, and its size then; empty where it is neither. */
export function describeWrapped({ wrapped }: Output): string {
  return wrapped === undefined ? '' : `, ${wrapped.how}: ${formatBytes(wrapped.bytes)}`;
}
