/** A log that keeps its lines for a test to read: `INFO Joined …`. */
import type { Log } from '#src/base/log.js';

export interface RecordedLog extends Log {
  readonly lines: readonly string[];
}

export function createRecordedLog(): RecordedLog {
  const lines: string[] = [];
  const record = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  return {
    lines,
    debug: record('DEBU'),
    info: record('INFO'),
    warn: record('WARN'),
    error: record('ERRO'),
    fatal: record('FATA'),
    progress: record('PROG'),
  };
}
