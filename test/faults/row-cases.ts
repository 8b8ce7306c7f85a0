/** The rows of the matrix about rows that no reader would take: the backup says so, not the `verify` of years later. */
import { startTcpProxy } from '../support/tcp-proxy.js';
import { runProgram } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import type { ReqlServer } from '../support/replica/reql-server.js';
import { backupFlags, snapshotFlags, type FaultCase } from './fault-case.js';

const table = r.db('dtr2').table('altered');
const rows = ['row-1', 'row-2', 'row-3'].map((id) => ({ id, v: 'text' }));

async function withRows<T>(server: ReqlServer, use: () => Promise<T>): Promise<T> {
  await withConnection(server, async (connection) => {
    await r.db('dtr2').tableCreate('altered').run(connection);
    await table.insert(rows).run(connection);
  });
  try {
    return await use();
  } finally {
    await withConnection(server, (connection) => r.db('dtr2').tableDrop('altered').run(connection));
  }
}

interface Lie {
  readonly fault: string;
  readonly from: string;
  /** A character stands for a byte. */
  readonly to: string;
  readonly says: RegExp;
  readonly exitCode?: 7 | 11;
}

const second = '{"id":"row-2","v":"text"}';

function lieCase({ fault, from, to, says, exitCode = 7 }: Lie, mode: 'scan' | 'snapshot'): FaultCase {
  return {
    ...{ area: 'rows', fault: `${fault}, ${mode}`, exitCode, says, verdict: 'refused' },
    run: ({ server }) =>
      withRows(server, async () => {
        const lie = { from: Buffer.from(from), to: Buffer.from(to, 'latin1') };
        await using proxy = await startTcpProxy(server, { alter: lie });
        const flags = mode === 'scan' ? backupFlags(proxy) : snapshotFlags(proxy);
        return await runProgram([...flags, '--include-table', 'dtr2.altered']);
      }),
  };
}

const inBoth: readonly Lie[] = [
  {
    fault: 'a row that is not JSON',
    from: second,
    to: '{"id":"row-2","v":text!!}',
    says: /document \d of dtr2\.altered is not JSON/,
  },
  {
    fault: 'a row in Latin-1',
    from: second,
    to: '{"id":"row-2","v":"t\xeaxt"}',
    says: /document \d of dtr2\.altered is not UTF-8/,
  },
  {
    fault: 'a row without its primary key',
    from: second,
    to: '{"ie":"row-2","v":"text"}',
    says: /document \d of dtr2\.altered has no primary key \("id"\)/,
  },
  {
    fault: 'a row with null for its primary key',
    from: second,
    to: '{"id": null  ,"v":"text"}',
    says: /document \d of dtr2\.altered has a primary key of a type that RethinkDB refuses/,
  },
];

const inScan: readonly Lie[] = [
  {
    fault: 'a row twice',
    from: second,
    to: '{"id":"row-1","v":"text"}',
    says: /document 1 of dtr2\.altered has the primary key of the document before it/,
  },
  {
    fault: 'a row out of order',
    from: second,
    to: '{"id":"row-0","v":"text"}',
    says: /document 1 of dtr2\.altered has a primary key that does not follow the one before it/,
  },
  {
    fault: 'a row without its end',
    from: second,
    to: '{"id":"row-2","v":"text" ',
    says: /cannot read table dtr2\.altered: the server sent a document that is not an object/,
  },
];

const inSnapshot: readonly Lie[] = [
  {
    fault: 'an element that is not one of a feed’s',
    from: '"type":"initial"',
    to: '"type":"initiaI"',
    says: /the changes of dtr2\.altered are not complete/,
    exitCode: 11,
  },
];

export const rowCases: readonly FaultCase[] = [
  ...[...inBoth, ...inScan].map((lie) => lieCase(lie, 'scan')),
  ...[...inBoth, ...inSnapshot].map((lie) => lieCase(lie, 'snapshot')),
];
