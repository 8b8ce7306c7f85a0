/** Connections to the server under test, with the same driver that the product uses. */
import { r, type Connection } from 'rethinkdb-ts';
import type { RethinkdbAddress, TlsIdentity } from '#src/model/replica-access.js';

export { r, type Connection };

/** What `r.connect` needs: TLS settings where an identity is given. */
export function driverOptions(server: RethinkdbAddress, identity?: TlsIdentity): DriverOptions {
  const { host, port } = server;
  if (identity === undefined) return { silent: true, host, port };
  const { ca, cert, key } = identity;
  const tls = { ca, cert, key: key?.reveal(), rejectUnauthorized: true };
  return { silent: true, server: { host, port, tls: true, ...tls } };
}

export type DriverOptions = Parameters<typeof r.connect>[0];

/** Gives the connection to `use` and closes it afterwards, whatever happens. */
export async function withConnection<T>(
  server: RethinkdbAddress,
  use: (connection: Connection) => Promise<T>,
  identity?: TlsIdentity,
): Promise<T> {
  const connection = await r.connect(driverOptions(server, identity));
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

/** Resolves when every table takes reads and writes: a RethinkDB just started answers before its tables do. */
export async function waitUntilReadable(server: RethinkdbAddress, identity?: TlsIdentity): Promise<void> {
  const use = async (connection: Connection): Promise<void> => {
    for (const database of await r.dbList().run(connection)) {
      const tables = await r.db(database).tableList().run(connection);
      if (database === 'rethinkdb' || tables.length === 0) continue;
      await r.db(database).wait({ waitFor: 'all_replicas_ready', timeout: 60 }).run(connection);
    }
  };
  await withConnection(server, use, identity);
}
