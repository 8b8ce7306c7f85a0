/** The odd documents come back from the server's own JSON as they went in. */
import { expect, test } from '@jest/globals';
import { r, withConnection } from '../../support/replica/driver.js';
import { bigDocument, changedByRethinkdb, insertOddDocuments } from '../../support/replica/odd-documents.js';
import { withReqlServer } from '../../support/replica/reql-server.js';

function idOf(text: string): string {
  return JSON.stringify((JSON.parse(text) as { id: unknown }).id);
}

test('every odd document is given back by toJSON as it was stored', async () => {
  await withReqlServer(async (server) => {
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

test('RethinkDB changes these once, and never again', async () => {
  await withReqlServer(async (server) => {
    if (server.kind !== 'rethinkdb') return;
    await withConnection(server, async (connection) => {
      for (const { sent, stored } of changedByRethinkdb) {
        const once = await r.json(sent).toJSON().run(connection);
        expect(JSON.parse(once)).toEqual(JSON.parse(stored));
        expect(await r.json(once).toJSON().run(connection)).toBe(once);
      }
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
