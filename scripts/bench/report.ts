/** The bench's table, and which foreign tools there are to compare with. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Measured } from './measured.js';

export interface Line extends Measured {
  readonly shape: string;
  readonly trial: string;
  /** Documents. */
  readonly count: number;
  /** Of their JSON. */
  readonly bytes: number;
  readonly archiveBytes: number;
  /** Wall time as a multiple of the raw drain's. */
  readonly ratio: number;
}

/** Markdown. */
export function tableText(lines: readonly Line[]): string {
  const rows = lines.map(({ shape, trial, count, bytes, wallMs, cpuMs, peakBytes, ratio }) => [
    shape,
    trial,
    `${(wallMs / 1000).toFixed(2)} s`,
    Math.round((count / wallMs) * 1000).toLocaleString('en-US'),
    (bytes / wallMs / 1000).toFixed(0),
    `${(cpuMs / 1000).toFixed(2)} s`,
    `${Math.round(peakBytes / 1e6)} MB`,
    ratio.toFixed(2),
  ]);
  const head = ['shape', 'what', 'wall', 'documents/s', 'MB/s of JSON', 'CPU', 'peak RSS', '× raw drain'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n') + '\n';
}

/** The path of a command, or undefined where it is not on the PATH. */
export function findCommand(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
