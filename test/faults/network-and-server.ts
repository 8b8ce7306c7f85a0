/** The rows of the matrix about RethinkDB and the way to it. */
import { r, withConnection } from '../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { harmInMidTable, runProgram } from '../support/program.js';
import { startTcpProxy, type ProxyOptions } from '../support/tcp-proxy.js';
import { backupFlags, outputIn, type FaultCase } from './fault-case.js';

type Row = readonly [fault: string, options: ProxyOptions, exitCode: number, verdict: FaultCase['verdict']];

const always = Array.from({ length: 200 }, () => 5_000_000);

const rows: readonly Row[] = [
  ['every answer comes 20 ms late', { delayMs: 20 }, 0, 'whole'],
  ['bytes come in pieces of 1001', { pieceBytes: 1001 }, 0, 'whole'],
  [
    'the connection is cut in the handshake, in the catalog, and found again',
    { cutAfterBytes: [10, 300, 1100] },
    0,
    'whole',
  ],
  [
    'the connection is cut three times in mid-table, and found again',
    { cutAfterBytes: [5e6, 15e5, 3_000_001] },
    0,
    'whole',
  ],
  ['every connection is cut after 1 byte', { cutAfterBytes: always.map(() => 1) }, 7, 'nothing'],
  ['the connection stalls in the handshake', { stopAfterBytes: { bytes: 10, how: 'stall' } }, 7, 'nothing'],
  [
    'the connection stalls in mid-table, each time anew until all is read',
    { stopAfterBytes: { bytes: 5e6, how: 'stall' } },
    0,
    'whole',
  ],
  [
    'the server half-closes in mid-table, each time anew until all is read',
    { stopAfterBytes: { bytes: 5e6, how: 'half-close' } },
    0,
    'whole',
  ],
  ['the server half-closes in the handshake', { stopAfterBytes: { bytes: 10, how: 'half-close' } }, 7, 'nothing'],
];

export const networkCases: readonly FaultCase[] = [
  ...rows.map(([fault, options, exitCode, verdict]): FaultCase => ({
    area: 'network',
    fault,
    exitCode,
    verdict,
    run: async ({ server }) => {
      await using proxy = await startTcpProxy(server, options);
      return await runProgram(backupFlags(proxy));
    },
  })),
  {
    area: 'network',
    fault: 'nobody listens at the address, with --output',
    exitCode: 7,
    verdict: 'nothing',
    run: async (context) => {
      const proxy = await startTcpProxy(context.server);
      await proxy[Symbol.asyncDispose]();
      return runProgram(backupFlags(proxy, outputIn(context)));
    },
  },
];

const patient = ['--connect-timeout', '60', '--read-timeout', '10'];

/** Keys that paths, shells and JavaScript make something of. */
const hostileKeys = [
  '../../etc/passwd',
  '$(reboot)',
  '__proto__',
  'a\u0000b',
  '\u{1F600}\u2028',
  '"},{"',
  'x'.repeat(120),
];

type Deed = (server: ReqlServer) => unknown;

/** What outlasts the job's patience; `mend` is for the cases after it. */
const lasting: readonly (readonly [fault: string, harm: Deed, mend: Deed])[] = [
  ['killed in mid-table, and not back', (server) => server.kill(), (server) => server.restart()],
  ['frozen in mid-table, its connections open', (server) => server.freeze(), (server) => server.thaw()],
];

export const serverCases: readonly FaultCase[] = [
  {
    area: 'server',
    fault: 'killed in mid-table, and back within the window',
    exitCode: 0,
    verdict: 'whole',
    run: ({ server }) =>
      harmInMidTable(backupFlags(server, [], patient), async () => {
        await server.kill();
        await server.restart();
      }),
  },
  ...lasting.map(([fault, harm, mend]): FaultCase => ({
    area: 'server',
    fault,
    exitCode: 7,
    verdict: 'refused',
    run: async ({ server }) => {
      const ended = await harmInMidTable(backupFlags(server), () => harm(server));
      await mend(server);
      return ended;
    },
  })),
  {
    area: 'server',
    fault: 'a table of the plan is dropped meanwhile',
    exitCode: 7,
    verdict: 'refused',
    run: async ({ server }) => {
      await withConnection(server, (connection) => r.db('dtr2').tableCreate('zz_vanishing').run(connection));
      return harmInMidTable(backupFlags(server), () =>
        withConnection(server, (connection) => r.db('dtr2').tableDrop('zz_vanishing').run(connection)),
      );
    },
  },
  {
    area: 'server',
    fault: 'tables and documents with hostile names and keys',
    exitCode: 0,
    verdict: 'whole',
    run: async ({ server }) => {
      // RethinkDB 2.3 has no `-` in names.
      const names = ['constructor', ...(server.isOld ? [] : ['-rf']), '0', 'a'.repeat(90)];
      return withConnection(server, async (connection) => {
        await r.dbCreate('hostile').run(connection);
        for (const name of names) {
          await r.db('hostile').tableCreate(name).run(connection);
          const texts = hostileKeys.map((key) =>
            JSON.stringify({ id: key, ['__proto__']: key, nested: [{ constructor: key }] }),
          );
          await r
            .db('hostile')
            .table(name)
            .insert(r.json(`[${texts.join(',')}]`))
            .run(connection);
        }
        const ended = await runProgram(backupFlags(server, ['--include-table', 'hostile.*']));
        await r.dbDrop('hostile').run(connection);
        return ended;
      });
    },
  },
  {
    area: 'server',
    // A real one takes some 10 MB of disk for each.
    fault: '10,000 tables (always on the embedded server)',
    exitCode: 0,
    verdict: 'whole',
    run: async () => {
      await using many = await startReqlServer({ kind: 'reqlite' });
      await withConnection(many, async (connection) => {
        await r.dbCreate('dtr2').run(connection);
        for (let table = 0; table < 10_000; table += 1) await r.db('dtr2').tableCreate(`t${table}`).run(connection);
      });
      return await runProgram(backupFlags(many, [], []));
    },
  },
];
