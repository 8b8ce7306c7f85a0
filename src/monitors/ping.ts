/**
 * Pings of a run, as healthchecks services expect them: `URL/start` when it begins, URL when it has succeeded, `URL/fail`
 * when it has not. Whatever becomes of a ping, the run takes no notice but a warning.
 */
import { StringDecoder } from 'node:string_decoder';
import { pause, withTimeout } from '../base/deadline.js';
import { errorText } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Log } from '../base/log.js';
import { printable } from '../base/printable.js';
import { belowTarget, PingRefused, sendPing, type PingRequest, type PingTarget } from './ping-request.js';

/** How a run ended. */
export interface RunEnd {
  readonly exitCode: ExitCode;
  /** What the log says of a failure: one line each. */
  readonly errors: readonly string[];
}

export interface PingLimits {
  readonly tries: number;
  /** Of one try, with its redirects. */
  readonly tryMs: number;
  /** Between the first two tries; twice that before the third. */
  readonly pauseMs: number;
  /** How long the end of a run waits for the ping of its start, so that they arrive in order. */
  readonly startWaitMs: number;
  /** Of all that is done at the end of a run. */
  readonly endMs: number;
}

export const pingLimits: PingLimits = {
  tries: 3,
  tryMs: 10_000,
  pauseMs: 500,
  startWaitMs: 3000,
  endMs: 30_000,
};

interface PingerOptions {
  readonly log: Pick<Log, 'warn'>;
  readonly userAgent: string;
  readonly limits?: PingLimits;
}

type PingEvent = 'start' | 'success' | 'failure';

const suffixes: Readonly<Record<Exclude<PingEvent, 'success'>, string>> = { start: 'start', failure: 'fail' };

export class Pinger {
  readonly #target: PingTarget;
  readonly #options: Required<PingerOptions>;
  readonly #startController = new AbortController();
  #start = Promise.resolve();

  constructor(target: PingTarget, options: PingerOptions) {
    this.#target = target;
    this.#options = { limits: pingLimits, ...options };
  }

  /** Sends the ping of the start, beside the run. To be followed by `ended`. */
  started(): void {
    this.#start = this.#ping('start', this.#startController.signal);
  }

  /** Resolves when the ping of the end has been taken or given up. Never rejects. */
  async ended(end: RunEnd): Promise<void> {
    const { startWaitMs, endMs } = this.#options.limits;
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(noAnswer(endMs)), endMs);
    try {
      await withTimeout(this.#start, startWaitMs, () => new Error('no answer before the run ended')).catch(
        (error: unknown) => this.#startController.abort(error),
      );
      await this.#start;
      if (end.exitCode === ExitCode.done) await this.#ping('success', controller.signal);
      else await this.#ping('failure', controller.signal, bodyOf(end));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Never rejects. */
  async #ping(event: PingEvent, signal: AbortSignal, body?: string): Promise<void> {
    const { log, userAgent } = this.#options;
    const target = event === 'success' ? this.#target : belowTarget(this.#target, suffixes[event]);
    try {
      await this.#send({ target, body, userAgent }, signal);
    } catch (error) {
      log.warn(`The monitor at ${target.url.host} has not taken the ping of the ${event}: ${errorText(error)}`);
    }
  }

  async #send(request: PingRequest, signal: AbortSignal): Promise<void> {
    const { tries, tryMs, pauseMs } = this.#options.limits;
    for (let count = 1; ; count += 1) {
      const controller = new AbortController();
      try {
        await withTimeout(sendPing(request, controller.signal), tryMs, () => noAnswer(tryMs), signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (count === tries || (error instanceof PingRefused && !error.isTransient)) throw error;
      } finally {
        // Ends the request that a timeout has left.
        controller.abort();
      }
      await pause(pauseMs * count, signal);
    }
  }
}

function noAnswer(ms: number): Error {
  return new Error(`no answer within ${ms / 1000} s`);
}

const maxBodyBytes = 10_000;

/** What the log says as well. */
function bodyOf({ exitCode, errors }: RunEnd): string {
  const text = [`exit code ${exitCode}`, ...errors.map((error) => printable(error, maxBodyBytes))].join('\n');
  // Unlike a Buffer, it drops a character that is cut in two.
  return new StringDecoder('utf8').write(Buffer.from(text).subarray(0, maxBodyBytes));
}
