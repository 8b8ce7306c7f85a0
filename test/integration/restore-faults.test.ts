// Everything that can go wrong while an archive is written: bad documents and archives, signals, a RethinkDB that goes away
// or changes meanwhile. What is told then, and that nothing is claimed that is not so.
import { closeSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { makeArchive, sampleRoot } from '../support/archive/sample.js';
import { foreignTar } from '../support/archive/tar-blocks.js';
import type { Ended } from '../support/command.js';
import { expectFailure } from '../support/failure.js';
import { Program, runProgram } from '../support/program.js';
import { r, withConnection, type Connection } from '../support/replica/driver.js';
import { events, eventTables, useRestoreFixture, whileHeld } from '../support/restore-fixture.js';
import { clearServer, expectDone, makeTable, readTable, restoreFlags, tableNames } from '../support/restoring.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const fixture = useRestoreFixture(eventTables);
/** Where in the archive the documents of `events` have half gone by. */
let half: number;
beforeAll(() => {
  half = fixture.archive.indexOf(`${sampleRoot}/rethink/events/1500`);
});

/** A restore of a file that is altered once it has been verified: when the connection is made. */
function alteredSinceVerified(path: string, alter: () => void): Promise<Ended> {
  const hold = { server: fixture.server, holdAfterBytes: 500 };
  return whileHeld(hold, (proxy) => runProgram([...restoreFlags(proxy), path]), alter);
}

describe('a document that RethinkDB refuses', () => {
  // Of the vendor's shape: there no manifest names the keys, so nothing but RethinkDB looks at them.
  const vendors = (text: string): Promise<Buffer> =>
    foreignTar(
      [...events.slice(0, 700), text, ...events.slice(700, 1000)].map((body, number) => [
        { name: `${sampleRoot}/rethink/events/${number}` },
        body,
      ]),
    );

  test.each([
    ['has a key of no good type', '{"id":null,"secret":"hunter2"}', /Primary keys must be either/],
    ['has no key', '{"secret":"hunter2"}', /it has no primary key \(id\)/],
  ])('because it %s is named with its table and entry, and nothing of it is told', async (_why, text, reason) => {
    await makeTable(fixture.server, 'dtr2.events');
    const ended = await runProgram([...restoreFlags(fixture.server), '--allow-unproven'], {
      stdin: await vendors(text),
    });
    expectFailure(ended, 7, reason);
    expect(ended.stderr).toContain(`cannot write ${sampleRoot}/rethink/events/700 into dtr2.events: `);
    expect(ended.stderr + ended.stdout.toString()).not.toContain('hunter2');
    expect(ended.stdout.toString()).toMatch(/^dtr2\.events .* INCOMPLETE/m);
    const { texts } = await readTable(fixture.server, 'dtr2.events');
    expect(texts.filter((one) => one.includes('hunter2'))).toEqual([]);
  });

  test('because its key is too long is named, though the archive is proved', async () => {
    if (fixture.server.kind === 'reqlite') return; // It takes keys of any length.
    const texts = [...events.slice(0, 700), `{"id":"e00699~${'hunter2'.repeat(20)}"}`, ...events.slice(700, 1000)];
    const ended = await runProgram(restoreFlags(fixture.server), {
      stdin: await makeArchive([{ name: 'events', texts }]),
    });
    expectFailure(ended, 7, /events\/700 into dtr2\.events: Primary key too long \(max 127 characters\)$/);
    expect(ended.stderr).not.toContain('hunter2');
  });

  test('is never let in by joining texts that are no documents by themselves', async () => {
    const path = fixture.path('broken.tar');
    writeFileSync(path, await makeArchive([{ name: 'tags', texts: ['{"id":1', '"x":2}', '{"id":3},{"id":4}'] }]));
    const ended = await runProgram([...restoreFlags(fixture.server), '--skip-verify', path]);
    expectFailure(ended, 9, /rethink\/tags\/0: is not JSON, and 2 more findings/);
    expect((await readTable(fixture.server, 'dtr2.tags')).texts).toEqual([]);
  });
});

describe('an archive', () => {
  const flipped = (at: number): Buffer => {
    const altered = Buffer.from(fixture.archive);
    altered[at] = (altered[at] ?? 0) ^ 1;
    return altered;
  };
  const cases: readonly [string, () => Buffer, RegExp][] = [
    ['altered in a document', () => flipped(half + 600), /rethink\/events\/: does not match its SHA-256/],
    ['altered in a header', () => flipped(half + 136), /has no tar header at byte \d+: it is damaged there/],
    ['cut between two documents', () => fixture.archive.subarray(0, half), /ends between two entries: it is cut short/],
    ['cut in a document', () => fixture.archive.subarray(0, half + 600), /invalid: .*cut short/],
    ['two archives in one', () => Buffer.concat([fixture.archive, fixture.archive]), /has \d+ trailing bytes/],
    ['no tar', () => Buffer.from('not found\n'.repeat(100)), /is not a tar/],
    ['empty', () => Buffer.alloc(0), /is too short for a tar/],
  ];

  test.each(cases)('that is %s is refused from a file before anything is written', async (_how, make, reason) => {
    const path = fixture.path('false.tar');
    writeFileSync(path, make());
    expectFailure(await runProgram([...restoreFlags(fixture.server), path]), 9, reason);
    expect(await tableNames(fixture.server)).toEqual([]);
  });

  test.each(cases)('that is %s is refused from a stream before anything is written', async (_how, make, reason) => {
    expectFailure(await runProgram([...restoreFlags(fixture.server), '-'], { stdin: make() }), 9, reason);
    expect(await tableNames(fixture.server)).toEqual([]);
  });

  test('that is altered after it was verified ends the run with 9 and what was written', async () => {
    const path = fixture.path('altered.tar');
    writeFileSync(path, fixture.archive);
    const ended = await alteredSinceVerified(path, () => {
      const handle = openSync(path, 'r+');
      writeSync(handle, 'yyyyyyyy', fixture.archive.indexOf('xxxxxxxx', half));
      closeSync(handle);
    });
    expectFailure(ended, 9, /altered\.tar has changed since it was verified/);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.events +3,000 +0 +INCOMPLETE +created/m);
  });

  test('that takes the place of a good one after that was verified is never read', async () => {
    const path = fixture.path('swapped.tar');
    writeFileSync(path, fixture.archive);
    writeFileSync(`${path}.new`, await makeArchive([{ name: 'events', texts: ['{"id":"another"}'] }]));
    expectDone(await alteredSinceVerified(path, () => renameSync(`${path}.new`, path)));
    await fixture.expectRestored();
  });
});

/** A restore in which `act` is done when about half of the documents have gone to the server. */
function interrupted(act: () => unknown, ...flags: readonly string[]): Promise<Ended> {
  const { server, archive, file } = fixture;
  const hold = { server, holdAfterBytes: archive.length / 3 };
  return whileHeld(hold, (proxy) => runProgram([...restoreFlags(proxy), ...flags, file]), act);
}

function onServer(use: (connection: Connection) => Promise<unknown>): Promise<unknown> {
  return withConnection(fixture.server, use);
}

const blobs = r.db('dtr2').table('blobs');

describe('a restore that is stopped half-way', () => {
  test('by SIGTERM ends with 143 and what was applied; run again with --replace it gets to the same end', async () => {
    const { server, archive, file, restore } = fixture;
    const { hasWriteHooks: hasHooks } = server;
    await makeTable(server, 'dtr2.events', ['{"id":"old"}']);
    if (hasHooks) {
      await onServer((connection) =>
        r
          .db('dtr2')
          .table('events')
          .setWriteHook((_context, _before, after) => r.branch(after.eq(null), r.error('no'), after))
          .run(connection),
      );
    }
    let program: Program | undefined;
    const ended = await whileHeld(
      { server, holdAfterBytes: archive.length / 3 },
      (proxy) => {
        program = new Program([...restoreFlags(proxy), '--replace', file]);
        return program.ended();
      },
      () => program?.child.kill('SIGTERM'),
    );
    expectFailure(ended, 143, /terminated by SIGTERM/);
    expect(ended.stdout.toString()).toMatch(/^dtr2\.events .*INCOMPLETE/m);
    // The replica's own hook was never taken away.
    if (hasHooks) expect((await readTable(server, 'dtr2.events')).hook).toBeDefined();

    expectFailure(await restore(file), 10, /holds/);
    expectDone(await restore('--replace', file));
    await fixture.expectRestored();
    expect((await readTable(server, 'dtr2.events')).hook).toBeUndefined();
  });
});

describe('RethinkDB', () => {
  test('cut off in the middle is found again, and nothing is missing', async () => {
    const cutAfterBytes = [Infinity, 500, 600, 700, 800, 500, 600, 700];
    await using proxy = await startTcpProxy(fixture.server, { cutAfterBytes });
    const ended = await runProgram([...restoreFlags(proxy), fixture.file]);
    expectDone(ended);
    expect(ended.stderr).toMatch(/^WARN.*Waiting for RethinkDB/m);
    expect(proxy.connections).toBeGreaterThan(5);
    await fixture.expectRestored();
  });

  test('restarted in the middle is waited for', async () => {
    expectDone(await interrupted(() => fixture.server.restart()));
    await fixture.expectRestored();
  });

  test('killed in the middle has lost nothing that it answered, also where the archive is written over old documents', async () => {
    const old = events.map((text) => text.replace('"text":"', '"text":"old'));
    writeFileSync(fixture.path('old.tar'), await makeArchive([{ name: 'events', texts: old }]));
    expectDone(await fixture.restore(fixture.path('old.tar')));
    const act = async (): Promise<void> => {
      await fixture.server.kill();
      await fixture.server.restart();
    };
    const ended = await interrupted(act, '--merge', '--verify');
    expectDone(ended);
    expect(ended.stderr).toMatch(/^INFO.*Compared the content of 3,005 documents$/m);
    await fixture.expectRestored();
  }, 60_000);

  test('gone for good ends with 7 and what was applied, and leaves the lock', async () => {
    const ended = await interrupted(() => fixture.server.kill(), '--connect-timeout', '0.5');
    await fixture.server.restart();
    expectFailure(ended, 7, /RethinkDB at .* did not answer within 0\.5 s/);
    expect(ended.stderr).toMatch(/^WARN.*The lock of this restore stays: .*--break-lock/m);
    expect(ended.stdout.toString()).toMatch(
      /^dtr2\.events +[\d,]+ +0 +INCOMPLETE +created, [\d,]+ entries sent without an answer$/m,
    );
    expectFailure(await fixture.restore('--replace', fixture.file), 10, /another restore writes/);
    await onServer((connection) => r.db('dtr_backup').table('locks').delete().run(connection));
    expectDone(await fixture.restore('--replace', fixture.file));
  }, 60_000);

  test('that somebody else writes into is noticed by its count', async () => {
    const act = () => onServer((connection) => blobs.insert({ id: 'theirs' }).run(connection));
    const ended = await interrupted(act);
    expectFailure(ended, 7, /dtr2\.blobs holds 3 documents, the archive has 2: something else writes/);
  });

  test('that somebody else deletes from is noticed by its count', async () => {
    const act = () =>
      onServer((connection) =>
        until('blobs are written', async () => (await blobs.delete().run(connection)).deleted > 0),
      );
    const ended = await interrupted(act);
    expectFailure(ended, 7, /dtr2\.blobs holds \d documents, the archive has 2: something else deletes/);
  });

  test('in which somebody else alters a document is noticed with --verify alone', async () => {
    const alter = () =>
      onServer((connection) =>
        until(
          'a document is altered',
          async () => (await blobs.get(1).update({ altered: true }).run(connection)).replaced > 0,
        ),
      );
    const counted = await interrupted(alter);
    expectDone(counted);
    expect(counted.stderr).toMatch(
      /Compared the number of documents in 3 tables; --verify compares their content, too/,
    );
    await clearServer(fixture.server);
    const compared = await interrupted(alter, '--verify');
    expectFailure(compared, 7, /not as in the archive after they were written: 1 of dtr2\.blobs: something else/);
  }, 60_000);
});
