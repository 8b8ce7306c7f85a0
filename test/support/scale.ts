/**
 * How much is tried: what every commit can wait for, or with FULL=1 (as `npm run test:all` sets it) all of it. The one
 * place that asks.
 */

/** What cannot be made small is skipped (`isFull ? test : test.skip`), and counted as such, where this is false. */
export const isFull = !['', '0', undefined].includes(process.env.FULL);

/** A number of runs, rows, bytes. */
export function scaled(quick: number, full: number): number {
  return isFull ? full : quick;
}

/**
 * Every offset below `end`; unless all is tried, each `step`th of them. `first` makes several passes try different ones.
 * Take a step that is odd: tars repeat every 512 bytes.
 */
export function* offsets(end: number, step: number, first = 0): Generator<number> {
  for (let at = isFull ? 0 : first % step; at < end; at += isFull ? 1 : step) yield at;
}
