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

/** All of them; unless all is tried, one in `oneIn`. `first` makes several passes try different ones. */
export function someOf<T>(all: readonly T[], oneIn: number, first = 0): readonly T[] {
  return isFull ? all : all.filter((_, index) => index % oneIn === first % oneIn);
}

/** Every offset into these bytes, or some of them. Take an odd number: tars repeat every 512 bytes. */
export function offsetsIn(bytes: Buffer, oneIn: number, first = 0): readonly number[] {
  return someOf([...bytes.keys()], oneIn, first);
}
