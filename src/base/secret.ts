import { inspect } from 'node:util';

const redacted = (): string => '[redacted]';

/**
 * A value that must never be printed: a password, a token, a passphrase, a private key. Turned into text by accident
 * (templates, JSON, console, util.inspect) it gives `[redacted]`.
 */
export class Secret {
  readonly #value: string;
  readonly toString = redacted;
  readonly toJSON = redacted;
  readonly [inspect.custom] = redacted;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one place that must send it. */
  reveal(): string {
    return this.#value;
  }
}
