/** Entries to be written to an archive, as lines: each one JSON text and a newline. */
import { byteTextOf, type ByteText } from '../../model/byte-text.js';
import type { CheckedLines } from '../verify/entries-check.js';

const newline = 0x0a;

export class LineBatch implements CheckedLines {
  /** Where each body ends: at its newline. */
  readonly ends: readonly number[];
  readonly largestBytes: number;

  constructor(
    readonly lines: Buffer,
    readonly firstNumber: number,
    readonly entriesBefore: number,
  ) {
    if (lines.at(-1) !== newline) throw new Error('entries do not end in a newline');
    const ends: number[] = [];
    let largestBytes = 0;
    for (let start = 0; start < lines.length;) {
      const end = lines.indexOf(newline, start);
      ends.push(end);
      if (end - start > largestBytes) largestBytes = end - start;
      start = end + 1;
    }
    this.ends = ends;
    this.largestBytes = largestBytes;
  }

  get count(): number {
    return this.ends.length;
  }

  /** Where body `index`, counted from 0, begins. */
  start(index: number): number {
    return index === 0 ? 0 : (this.ends[index - 1] ?? 0) + 1;
  }

  body(index: number): Buffer {
    return this.lines.subarray(this.start(index), this.ends[index]);
  }

  texts(): ByteText[] {
    return this.ends.map((end, index) => byteTextOf(this.lines, this.start(index), end));
  }
}
