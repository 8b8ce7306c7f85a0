/** The odd documents come back from the server's own JSON as they went in. */
import { expect, test } from '@jest/globals';
import { r, withConnection } from '../../support/replica/driver.js';
import { bigDocument, insertOddDocuments } from '../../support/replica/odd-documents.js';
import { startReqlServer, type ReqlServer } from '../../support/replica/reql-server.js';

async function withServer(use: (server: ReqlServer) => Promise<void>): Promise<void> {
  const server = await startReqlServer();
  process.stderr.write(`${server.kind} ${server.version}\n`);
  try {
    await use(server);
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

function idOf(text: string): string {
  return JSON.stringify((JSON.parse(text) as { id: unknown }).id);
}

test('every odd document is given back by toJSON as it was stored', async () => {
  await withServer(async (server) => {
    await withConnection(server, async (connection) => {
      await r.dbCreate('odd').run(connection);
      await r.db('odd').tableCreate('documents').run(connection);
      const written = await insertOddDocuments(connection, server.kind, 'odd', 'documents', { bigMegabytes: 20 });
      const table = r.db('odd').table('documents');
      const cursor = await table
        .orderBy({ index: 'id' })
        .map((row) => row.toJSON())
        .getCursor(connection);
      const read = new Map<string, string>();
      for await (const text of cursor as AsyncIterable<string>) read.set(idOf(text), text);
      expect(read.size).toBe(written.length);
      for (const text of written) {
        const stored = read.get(idOf(text)) ?? 'null';
        expect(JSON.parse(stored)).toEqual(JSON.parse(text));
        // Jest looks past a field named __proto__; texts do not.
        expect(sortedText(stored)).toBe(sortedText(text));
      }
      expect(read.get('"big"')?.length).toBe(bigDocument('big', 20).length);
    });
  });
});

/** The text with all fields in one order; arrays of fields keep the names that objects may lose. */
function sortedText(text: string): string {
  return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
      : value,
  );
}
