/**
 * `npm run bench`: seeds a ReQL server with three shapes of documents, then measures backup, verify and restore against
 * the floor, which is reading the same rows off the socket and throwing them away. Each round runs everything once, so
 * that what disturbs the machine disturbs all alike; the table has the medians. `--quick`: a fifth of the documents,
 * three rounds instead of five. `--json FILE` writes the figures with machine and versions.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { arch, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { r, withConnection } from '../test/support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../test/support/replica/reql-server.js';
import { measureLatencies, type NamedLatency } from './bench/cost.js';
import { firstByteMs, measureForeign, measureNode, medianOf, type Measured } from './bench/measured.js';
import { findCommand, tableText, type Line } from './bench/report.js';
import { seedShape, shapesOf, type Shape } from './bench/shapes.js';

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, shape: { type: 'string' } },
});
const rounds = flags.quick ? 3 : 5;
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const rawDrain = fileURLToPath(new URL('bench/raw-drain.js', import.meta.url));
/** Comes with RethinkDB's Python driver. */
const dumpTool = 'rethinkdb-dump';
const say = (text: string): void => console.log(text);

const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-bench-'));
try {
  await using server = await startReqlServer({ cacheSizeMb: 1024 });
  await using emptyServer = await startReqlServer({ cacheSizeMb: 512 });
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'} (${arch()}), ${Math.round(totalmem() / 1e9)} GB`;
  const versions = `${server.kind} ${server.version}, Node ${process.versions.node}`;
  say(`${versions}; ${machine}; server and client side by side\n`);
  if (findCommand(dumpTool) === undefined) say(`${dumpTool} is not on the PATH: nothing to compare backups with\n`);
  const lines: Line[] = [];
  for (const shape of shapesOf(flags.quick)) {
    if (flags.shape !== undefined && flags.shape !== shape.name) continue;
    const bytes = await seedShape(server, shape);
    lines.push(...(await measureShape(server, emptyServer, shape, bytes)));
    say(tableText(lines.filter(({ shape: name }) => name === shape.name)));
  }
  const events = backupArgs(server, 'bench_events');
  const firstByte = flags.shape === undefined ? await firstByteMs(events) : Number.NaN;
  say(`First byte on stdout: ${Math.round(firstByte)} ms after the start of the process\n`);
  const latencies: NamedLatency[] =
    flags.shape === undefined ? await measureLatencies(server, events, flags.quick ? 3 : 15) : [];
  for (const { name, p50Ms, p99Ms } of latencies) {
    say(`Reads and writes ${name}: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`);
  }
  const result = {
    date: new Date().toISOString(),
    machine,
    versions,
    rounds,
    lines,
    firstByteMs: firstByte,
    latencies,
  };
  if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(result, undefined, 2)}\n`);
} finally {
  rmSync(directory, { recursive: true });
}

function backupArgs({ host, port }: ReqlServer, database: string, ...more: string[]): string[] {
  const access = ['--rethinkdb-addr', `${host}:${port}`, '--rethinkdb-plaintext', '--dtr-version', '2.9.4'];
  return [main, 'backup', ...access, '--include-table', `${database}.*`, ...more];
}

async function measureShape(server: ReqlServer, emptyServer: ReqlServer, shape: Shape, bytes: number): Promise<Line[]> {
  const { name, database } = shape;
  const file = join(directory, `${name}.tar`);
  await measureNode(backupArgs(server, database, '--consistency', 'scan', '--output', file, '--force'));
  const where = [server.host, String(server.port), database, name, 'id'];
  const restoreArgs = [
    'restore',
    '--rethinkdb-addr',
    `${emptyServer.host}:${emptyServer.port}`,
    '--rethinkdb-plaintext',
  ];
  const dump = findCommand(dumpTool);
  const trials: Record<string, () => Promise<Measured>> = {
    'raw drain': () => measureNode([rawDrain, ...where]),
    'backup, scan': () => measureNode(backupArgs(server, database, '--consistency', 'scan')),
    'backup, snapshot': () => measureNode(backupArgs(server, database, '--settle-time', '1')),
    ...(dump !== undefined && {
      'rethinkdb dump': () =>
        measureForeign(dump, [
          ...['-c', `${server.host}:${server.port}`, '-e', `${database}.${name}`],
          ...['--overwrite-file', '-f', join(directory, 'dump.tar.gz')],
        ]),
    }),
    verify: () => measureNode([main, 'verify', file]),
    restore: async () => {
      await dropAll(emptyServer);
      return measureNode([main, ...restoreArgs, '--dtr-version', '2.9.4', '--skip-verify', file]);
    },
  };
  const runs = new Map<string, Measured[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [trial, run] of Object.entries(trials)) runs.set(trial, [...(runs.get(trial) ?? []), await run()]);
  }
  const floorMs = medianOf(runs.get('raw drain') ?? []).wallMs;
  const archiveBytes = statSync(file).size;
  rmSync(file);
  return [...runs].map(([trial, measured]) => {
    const median = medianOf(measured);
    return { shape: name, trial, count: shape.count, bytes, archiveBytes, ...median, ratio: median.wallMs / floorMs };
  });
}

async function dropAll(server: ReqlServer): Promise<void> {
  await withConnection(server, async (connection) => {
    for (const database of await r.dbList().run(connection)) {
      if (!['rethinkdb', 'test'].includes(database)) await r.dbDrop(database).run(connection);
    }
  });
}
