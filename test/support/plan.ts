/** A plan for tests that need one and do not care what it says. */
import { formatVersion, type Plan } from '#src/model/manifest.js';

export function makePlan(changes: Partial<Plan> = {}): Plan {
  return {
    formatVersion,
    tool: { name: 'dtr-backup', version: '0.0.0-test' },
    dtrVersion: '2.5.3',
    replicaId: '0123456789ab',
    rethinkdbVersion: '2.4.4',
    mode: 'online',
    consistency: 'scan',
    documentEncoding: 'reql',
    startedAt: '2026-01-02T03:04:05.678Z',
    leftOut: [],
    tables: [],
    ...changes,
  };
}
