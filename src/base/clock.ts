/** Time as an argument, so that a test can set it. */
export interface Clock {
  /** The wall clock. */
  now(): Date;
  /** Milliseconds on a clock that never goes back. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
};

const progressIntervalMs = 5000;

/** Says when a line of progress is due: 5 s after the start, then 5 s after the last one. */
export class Ticker {
  readonly #clock: Clock;
  readonly #startMs: number;
  #lastMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
    this.#lastMs = this.#startMs;
  }

  /** Called often: calls `show` with the seconds since the start when a line is due. */
  tick(show: (seconds: number) => void): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lastMs < progressIntervalMs) return;
    this.#lastMs = nowMs;
    show((nowMs - this.#startMs) / 1000);
  }
}
