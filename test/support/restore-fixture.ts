/** What tests of `restore` share: a server that is empty before each test, a directory, and archives in it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect } from '@jest/globals';
import type { PlannedTable } from '#src/model/manifest.js';
import type { RethinkdbAddress } from '#src/model/replica-access.js';
import { makeArchive, type SampleOptions, type SampleTable } from './archive/sample.js';
import type { Ended } from './command.js';
import { announceServer } from './direct-mode.js';
import { runProgram } from './program.js';
import { startReqlServer, type ReqlServer } from './replica/reql-server.js';
import { clearServer, readTable, restoreFlags } from './restoring.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

/** An empty one, one with another primary key, one of another database. */
export const keyedTables: readonly SampleTable[] = [
  { name: 'empty', texts: [] },
  { name: 'tags', primaryKey: 'pk', texts: ['{"pk":"a","v":1}', '{"pk":"b","v":1}', '{"pk":"c","v":1}'] },
  { name: 'tuf_files', database: 'notaryserver', primaryKey: 'gun_role_version', texts: [] },
];

/** Several writes, and so several answers of the server. */
export const events: readonly string[] = Array.from(
  { length: 3000 },
  (_, n) => `{"id":"e${String(n).padStart(5, '0')}","text":"${'x'.repeat(400)}"}`,
);

/** A large one between two small ones. */
export const eventTables: readonly SampleTable[] = [
  { name: 'blobs', texts: ['{"id":1}', '{"id":2}'] },
  { name: 'events', texts: events },
  { name: 'tags', texts: ['{"id":1}', '{"id":2}', '{"id":3}'] },
];

export interface RestoreFixture {
  readonly server: ReqlServer;
  /** The archive of the tables. */
  readonly archive: Buffer;
  /** The same as a file. */
  readonly file: string;
  /** In the directory of this test file. */
  path(name: string): string;
  /** Writes another archive of the same tables; gives its path. */
  write(name: string, options: SampleOptions): Promise<string>;
  /** Runs `restore` to its end, straight to the server. */
  readonly restore: (...args: readonly string[]) => Promise<Ended>;
  /** The flags that restore from there, and what goes to stdin. */
  source(from: 'file' | 'stdin'): { readonly arg: string; readonly stdin: { readonly stdin?: Buffer } };
  expectRestored(): Promise<void>;
}

/** Called at the top of a test file. */
export function useRestoreFixture(tables: readonly SampleTable[]): RestoreFixture {
  const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  const path = (name: string): string => join(directory, name);
  let server: ReqlServer;
  let archive: Buffer;
  beforeAll(async () => {
    archive = await makeArchive(tables);
    writeFileSync(path('archive.tar'), archive);
    server = await startReqlServer();
    announceServer(server);
  }, 120_000);
  afterAll(async () => {
    rmSync(directory, { recursive: true });
    await server[Symbol.asyncDispose]();
  });
  beforeEach(() => clearServer(server));
  return {
    get server() {
      return server;
    },
    get archive() {
      return archive;
    },
    file: path('archive.tar'),
    path,
    async write(name, options) {
      writeFileSync(path(name), await makeArchive(tables, options));
      return path(name);
    },
    restore: (...args) => runProgram([...restoreFlags(server), ...args]),
    source: (from) =>
      from === 'file' ? { arg: path('archive.tar'), stdin: {} } : { arg: '-', stdin: { stdin: archive } },
    async expectRestored() {
      for (const { database = 'dtr2', name, texts } of tables) {
        expect((await readTable(server, `${database}.${name}`)).texts).toEqual([...texts].sort());
      }
    },
  };
}

/** Changes what the plan says of the table `tags`. */
export function alteringTags(alter: (table: PlannedTable) => PlannedTable): SampleOptions {
  return {
    alterPlan: (plan) => ({
      ...plan,
      tables: plan.tables.map((table) => (table.name === 'tags' ? alter(table) : table)),
    }),
  };
}

/** Runs `start` through a proxy that holds what goes to the server after so many bytes; does `act` then, and lets go. */
export async function whileHeld(
  { server, holdAfterBytes }: { readonly server: RethinkdbAddress; readonly holdAfterBytes: number },
  start: (proxy: TcpProxy) => Promise<Ended>,
  act: () => unknown,
): Promise<Ended> {
  await using proxy = await startTcpProxy(server, { holdAfterBytes });
  const ended = start(proxy);
  await Promise.race([proxy.held, ended]);
  await act();
  proxy.release();
  return await ended;
}
