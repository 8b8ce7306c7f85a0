/** The server under the tests as a process: found, frozen, killed, started again on its data, gone afterwards. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { withTimeout } from '#src/base/deadline.js';
import { r, withConnection } from '../../support/replica/driver.js';
import { startReqlServer, type ReqlServer } from '../../support/replica/reql-server.js';

let server: ReqlServer;

beforeAll(async () => {
  server = await startReqlServer();
  process.stderr.write(`${server.kind} ${server.version}\n`);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function count(database: string, table: string): Promise<number> {
  return withConnection(server, (connection) => r.db(database).table(table).count().run(connection));
}

test('has a version and answers on the loopback address', async () => {
  expect(server.version).toMatch(/^\d+\.\d+\.\d+/);
  expect(server.plaintext).toBe(true);
  const info = await withConnection(server, (connection) => connection.server());
  expect(info).toMatchObject({ proxy: false });
});

test('keeps port and data when it is killed and started again', async () => {
  const { port } = server;
  await withConnection(server, async (connection) => {
    await r.dbCreate('life').run(connection);
    await r.db('life').tableCreate('rows', { primaryKey: 'key' }).run(connection);
    await r
      .db('life')
      .table('rows')
      .insert([{ key: 1 }, { key: [1, 'a'] }])
      .run(connection);
  });
  await server.kill();
  await server.restart();
  expect(server.port).toBe(port);
  expect(await count('life', 'rows')).toBe(2);
  await server.stop();
  await server.restart();
  expect(await count('life', 'rows')).toBe(2);
});

test('resets its connections when it is killed', async () => {
  const connection = await r.connect({ silent: true, host: server.host, port: server.port });
  const closed = once(connection, 'close');
  await server.kill();
  await withTimeout(closed, 5000, () => new Error('the connection stayed open'));
  await expect(r.connect({ silent: true, host: server.host, port: server.port })).rejects.toThrow();
  await server.restart();
});

test('holds still when frozen and goes on when thawed', async () => {
  const connection = await r.connect({ silent: true, host: server.host, port: server.port });
  try {
    server.freeze();
    const list = r.dbList().run(connection);
    const late = withTimeout(list, 300, () => new Error('late'));
    await expect(late).rejects.toThrow('late');
    server.thaw();
    expect(await list).toContain('rethinkdb');
  } finally {
    server.thaw();
    await connection.close();
  }
});

test('leaves neither process nor files behind', async () => {
  const other = await startReqlServer({ kind: 'reqlite' });
  const { directory } = other as ReqlServer & { directory: string };
  expect(existsSync(directory)).toBe(true);
  await other[Symbol.asyncDispose]();
  expect(existsSync(directory)).toBe(false);
  const socket = connect({ host: other.host, port: other.port });
  await expect(once(socket, 'connect')).rejects.toThrow('ECONNREFUSED');
});

test('dies with the process that started it, even when that is killed and the server frozen', async () => {
  const module = new URL('../../support/replica/reql-server.js', import.meta.url).href;
  const script = `const { startReqlServer } = await import(${JSON.stringify(module)});
    const server = await startReqlServer();
    server.freeze();
    console.log(server.port);
    await new Promise(() => setInterval(() => {}, 1000));`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await once(parent.stdout, 'data')) as [Buffer];
  const socket = connect({ host: '127.0.0.1', port: Number(port.toString()) });
  await once(socket, 'connect');
  const closed = new Promise((resolve) => {
    // A killed server resets the connection, which is an error to `once`.
    socket
      .on('error', () => undefined)
      .resume()
      .once('close', resolve);
  });
  parent.kill('SIGKILL');
  await withTimeout(closed, 10_000, () => new Error('the server outlived its parent'));
});
