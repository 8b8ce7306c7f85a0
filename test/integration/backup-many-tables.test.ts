// A snapshot of more tables than Node lets listen to one signal without a word: nothing but the log is on stderr.
import { expect, test } from '@jest/globals';
import { checkArchive } from '../support/archive-check.js';
import { announceServer, directFlags } from '../support/direct-mode.js';
import { runProgram } from '../support/program.js';
import { r, withConnection } from '../support/replica/driver.js';
import { withReqlServer } from '../support/replica/reql-server.js';

const tableCount = 14;

test('every line on stderr is one of the log', async () => {
  await withReqlServer(async (server) => {
    announceServer(server);
    await withConnection(server, async (connection) => {
      await r.dbCreate('dtr2').run(connection);
      for (let n = 0; n < tableCount; n += 1) await r.db('dtr2').tableCreate(`t${n}`).run(connection);
    });
    const flags = [...directFlags(server), '--log-format', 'json', '--consistency', 'snapshot'];
    const { exitCode, stderr, stdout } = await runProgram(flags);
    const levels = stderr
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { level: string }).level);
    expect({ exitCode, levels: [...new Set(levels)].sort() }).toEqual({ exitCode: 0, levels: ['info', 'warn'] });
    expect((await checkArchive(stdout)).manifest.tables).toHaveLength(tableCount);
  });
});
