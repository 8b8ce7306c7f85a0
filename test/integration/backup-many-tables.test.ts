// A snapshot of more tables than Node lets listen to one signal without a word: nothing but the log is on stderr.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { checkArchive } from '../support/archive-check.js';
import { announceServer, directFlags } from '../support/direct-mode.js';
import { Program } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { withReqlServer } from '../support/replica/reql-server.js';

const tableCount = 14;
const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-many-'));

afterAll(() => rmSync(directory, { recursive: true }));

test('every line on stderr is one of the log', async () => {
  await withReqlServer(async (server) => {
    announceServer(server);
    await withConnection(server, async (connection) => {
      await r.dbCreate('dtr2').run(connection);
      for (let n = 0; n < tableCount; n += 1) await r.db('dtr2').tableCreate(`t${n}`).run(connection);
    });
    const flags = [...directFlags(server), '--log-format', 'json', '--consistency', 'snapshot', '--debug'];
    // Node warns all the time, and must not be heard beside the log.
    const warning = join(directory, 'warning.cjs');
    const warn = `if (process.title === 'dtr-backup') process.emitWarning('a\\nb')`;
    writeFileSync(warning, `setInterval(() => { ${warn}; }, 100).unref();`);
    const { exitCode, stderr, stdout } = await new Program(flags, {
      env: { NODE_OPTIONS: `--require=${warning}` },
    }).ended();
    const lines = stderr.trimEnd().split('\n');
    const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(exitCode).toBe(0);
    const own = 'Node warns: Warning: a\\u000ab';
    expect(messages).toContain(own);
    expect(messages.filter((message) => message.startsWith('Node warns: ') && message !== own)).toEqual([]);
    expect((await checkArchive(stdout)).manifest.tables).toHaveLength(tableCount);
  });
});
