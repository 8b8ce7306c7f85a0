/**
 * A value that must never be printed: a password, a token, a passphrase, a private key. Every way of turning it into
 * text by accident (templates, JSON, console, util.inspect) gives `[redacted]`.
 */
import { inspect } from 'node:util';

const redacted = '[redacted]';

export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one place that must send it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}
