/** Users and passwords of RethinkDB itself: on a real one where there is one, else on a peer that proves them alike. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { Secret } from '#src/base/secret.js';
import type { RethinkdbUser } from '#src/model/replica-access.js';
import { RethinkSession } from '#src/rethink/session.js';
import { createRecordedLog } from '../../support/recorded-log.js';
import { directFlags } from '../../support/direct-mode.js';
import { runProgram } from '../../support/program.js';
import { restoreFlags } from '../../support/restoring.js';
import { r, withConnection } from '../../support/replica/driver.js';
import { findRethinkdb } from '../../support/replica/find-rethinkdb.js';
import { startReqlServer } from '../../support/replica/reql-server.js';
import { frame, startScriptedServer } from '../../support/replica/scripted-server.js';

/** RethinkDB 2.3.7 reads the user `backup,` as `backup,C`; 2.4.4 skips the character that follows a comma. */
const account = { user: 'backup,', password: 'correct horse, battery=staple é' };
const isReal = findRethinkdb() !== undefined;
let server: { readonly host: string; readonly port: number } & AsyncDisposable;

beforeAll(async () => {
  process.stderr.write(isReal ? 'a real RethinkDB\n' : 'SKIPPED: permissions; there is no RethinkDB here\n');
  if (!isReal) {
    server = await startScriptedServer(
      ({ token }, socket) => socket.write(frame(token, '{"t":1,"r":[true]}')),
      account,
    );
    return;
  }
  const real = await startReqlServer({ kind: 'rethinkdb' });
  server = real;
  if (real.isOld) account.user = 'backup';
  await withConnection(real, async (connection) => {
    await r.dbCreate('dtr2').run(connection);
    await r.db('dtr2').tableCreate('tags').run(connection);
    await r.dbCreate('shop').run(connection);
    await r.db('shop').tableCreate('orders').run(connection);
    const user = { id: account.user, password: account.password };
    await r.db('rethinkdb').table('users').insert(user).run(connection);
    for (const id of ['stranger', 'restorer'])
      await r.db('rethinkdb').table('users').insert({ id, password: 'x' }).run(connection);
    await r.db('dtr2').tableCreate('blobs').run(connection);
    await r.db('dtr2').table('blobs').indexCreate('size').run(connection);
    await r.dbCreate('dtr_backup').run(connection);
    await r.db('dtr_backup').tableCreate('locks').run(connection);
    await r.db('dtr_backup').grant('restorer', { read: true, write: true }).run(connection);
    await r.db('dtr2').grant('restorer', { read: true, write: true, config: true }).run(connection);
    await r.db('dtr2').grant(account.user, { read: true, config: true }).run(connection);
    // RethinkDB 2.3 refuses every grant on its own database.
    const grant = r.db('rethinkdb').grant(account.user, { read: true }).run(connection);
    await (real.isOld ? expect(grant).rejects.toThrow(/is special/) : grant);
    await r.db('rethinkdb').table('users').get('admin').update({ password: 'of admin' }).run(connection);
  });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function signIn(user?: RethinkdbUser): Promise<void> {
  const options = { address: server, insecureSkipVerify: false, connectWindowMs: 60_000, readTimeoutMs: 10_000 };
  const { signal } = new AbortController();
  const context = { log: createRecordedLog(), signal };
  await using session = new RethinkSession({ ...options, ...(user && { user }) }, context);
  await session.connect();
}

test('a user, with a comma in the name but on 2.3, is let in by the password', async () => {
  await signIn({ name: account.user, password: new Secret(account.password) });
});

describe('is refused at once, in one line without the password', () => {
  test.each<[string, { readonly user: string } | undefined, string]>([
    ['a wrong password', account, ' or the password (Wrong'],
    ['an unknown user', { user: 'nobody' }, ' or the password (Unknown user)'],
    ['no password', undefined, ' or the password ('],
  ])('%s', async (_what, as, text) => {
    const user = as && { name: as.user, password: new Secret('hunter2') };
    const failure = (await signIn(user).catch((error: unknown) => error)) as Error;
    expect(failure).toMatchObject({ exitCode: ExitCode.rethinkdb });
    expect(failure.message).toContain(`refuses user ${as?.user ?? 'admin'}${text}`);
    expect(failure.message).toContain('--rethinkdb-user and MSR_RETHINKDB_PASSWORD');
    expect(failure.message).not.toContain('hunter2');
  });
});

(isReal ? describe : describe.skip)('the program', () => {
  const env = (): Record<string, string> => ({
    MSR_RETHINKDB_USER: account.user,
    MSR_RETHINKDB_PASSWORD: account.password,
  });

  test('backs up as a user with a password', async () => {
    const ended = await runProgram([...directFlags(server), '--exclude-table', 'shop.*'], { env: env() });
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(ended.stderr).not.toContain(account.password);
  });

  test('restores as a user who has no right on the system tables', async () => {
    const { stdout } = await runProgram([...directFlags(server), '--exclude-table', 'shop.*'], { env: env() });
    const { host, port } = server;
    const connection = await r.connect({ host, port, user: 'restorer', password: 'x', silent: true });
    await r.db('dtr2').tableDrop('blobs').run(connection);
    await connection.close();
    const restorer = ['--rethinkdb-user', 'restorer', '--rethinkdb-password=x'];
    const ended = await runProgram([...restoreFlags(server, '2.5.3'), ...restorer, '-'], { stdin: stdout });
    expect(ended.stderr).toMatch(/Restore complete/);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.blobs .*complete +created, index size built$/m);
  });

  test('tells a user who may read DTR alone how to leave another database out', async () => {
    const refused = await runProgram(directFlags(server), { env: env() });
    expect(refused.exitCode).toBe(7);
    expect(refused.stderr).toMatch(/FATA.* shop\.orders: .* permission.*, or .* --exclude-table 'shop\.\*'\n$/);
  });

  test('names what a user may not read', async () => {
    const ended = await runProgram([...directFlags(server), '--rethinkdb-user', 'stranger', '--rethinkdb-password=x']);
    expect(ended.exitCode).toBe(7);
    expect(ended.stderr).toMatch(/FATA.*`stranger` does not have the required .* permission.*--rethinkdb-user\n$/);
  });
});
