/** Time as an argument, so that a test can hold it still. */
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
