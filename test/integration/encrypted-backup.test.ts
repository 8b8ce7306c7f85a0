// A backup that is encrypted and compressed on its way out, and restored from that; nothing unproved is written.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKey } from 'openpgp';
import { makeArchive } from '../support/archive/sample.js';
import { passphrase, unwrapBytes, wrapBytes } from '../support/archive/wrapped.js';
import { checkArchive } from '../support/archive-check.js';
import { announceServer, directFlags } from '../support/direct-mode.js';
import { expectFailure } from '../support/failure.js';
import { Program, runProgram } from '../support/program.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedEvents } from '../support/replica/seed-events.js';
import { clearServer, expectDone, restoreFlags, tableNames } from '../support/restoring.js';

/** More than a pipe and two batches hold, so that a stalled reader stops a backup in mid-table. */
const eventCount = 2500;

let server: ReqlServer;
let directory: string;
const env = { BACKUP_PASSPHRASE: passphrase.reveal() };
const file = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  server = await startReqlServer();
  announceServer(server);
}, 120_000);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await server[Symbol.asyncDispose]();
});

describe('an encrypted backup', () => {
  beforeAll(() => seedEvents(server, eventCount), 120_000);

  test('to stdout is, decrypted and decompressed, a whole archive', async () => {
    const ended = await runProgram([...directFlags(server), '--encrypt', '--compress', 'gzip'], { env });
    expectDone(ended);
    const plain = await unwrapBytes(ended.stdout, { passphrase });
    expect((await checkArchive(plain)).documents('events')).toHaveLength(eventCount);
    expect(ended.stderr).toMatch(
      /Backup complete: 2,500 documents, \S+ MB written to stdout, compressed \(gzip\) and encrypted: /,
    );
    expect(ended.stderr).not.toContain(passphrase.reveal());
    expect(ended.stderr).not.toContain('holds private keys');
  });

  test('to a file is verified through its encryption', async () => {
    const flags = [...directFlags(server), '--encrypt', '--verify', '--output', file('b.tar.gpg')];
    const ended = await runProgram(flags, { env });
    expectDone(ended);
    expect(ended.stderr).toMatch(/Verified \S+b\.tar\.gpg\.[0-9a-f]{8}\.part: 2,500 documents/);
    expect((await unwrapBytes(readFileSync(file('b.tar.gpg')), { passphrase })).subarray(0, 10).toString()).toBe(
      'dtr-backup',
    );
    expect(readdirSync(directory)).toEqual(['b.tar.gpg', 'b.tar.gpg.json']);
  });

  test('for public keys is verified with the private one; a private key is refused as a public one', async () => {
    const userIDs = [{ email: 'backup@example.org' }];
    const { privateKey, publicKey } = await generateKey({ userIDs, passphrase: passphrase.reveal() });
    writeFileSync(file('public.asc'), publicKey);
    writeFileSync(file('private.asc'), privateKey);
    const flags = [
      ...directFlags(server),
      '--encrypt-to',
      file('public.asc'),
      '--verify',
      '--output',
      file('k.tar.gpg'),
    ];
    expectDone(await runProgram([...flags, '--decrypt-key', file('private.asc')], { env }));
    const mistaken = [...directFlags(server), '--encrypt-to', file('private.asc')];
    expectFailure(await runProgram(mistaken), 2, '--encrypt-to: cannot encrypt to these keys: it holds a private key');
  });

  test('that is stopped by SIGTERM leaves output that is refused as damaged', async () => {
    const program = new Program([...directFlags(server), '--encrypt'], { env });
    const start = await program.readThenStall(20_000);
    program.child.kill('SIGTERM');
    const { exitCode, stdout } = await program.ended();
    expect(exitCode).toBe(143);
    await expect(unwrapBytes(Buffer.concat([start, stdout]), { passphrase })).rejects.toMatchObject({
      name: 'DamagedInputError',
    });
  });

  test('is recommended: one without encryption warns once that the archive holds private keys', async () => {
    const { stderr } = await runProgram(directFlags(server));
    expect(stderr.match(/private keys/g)).toHaveLength(1);
  });
});

describe('a restore of an encrypted archive', () => {
  let encrypted: Buffer;
  beforeAll(async () => {
    const texts = Array.from({ length: 300 }, (_, id) => `{"id":${id},"text":"${'x'.repeat(500)}"}`);
    encrypted = await wrapBytes(await makeArchive([{ name: 'tags', texts }]), { encryption: { passphrase } });
    writeFileSync(file('a.tar.gpg'), encrypted);
  });
  beforeEach(() => clearServer(server));

  test('from a file makes its tables', async () => {
    const ended = await runProgram([...restoreFlags(server), file('a.tar.gpg')], { env });
    expectDone(ended);
    expect(await tableNames(server)).toEqual(['dtr2.tags']);
  });

  test.each([[[]], [['--skip-verify']]])('from an altered or cut file writes nothing, with flags %j', async (flags) => {
    const altered = Buffer.from(encrypted);
    // In the last block of padding before the end: only the integrity check and the end tell.
    altered.writeUInt8(altered.readUInt8(altered.length - 30) ^ 1, altered.length - 30);
    for (const bad of [altered, encrypted.subarray(0, -5)]) {
      writeFileSync(file('bad.tar.gpg'), bad);
      const { exitCode } = await runProgram([...restoreFlags(server), ...flags, file('bad.tar.gpg')], { env });
      expect({ exitCode, tables: await tableNames(server) }).toEqual({ exitCode: 9, tables: [] });
    }
  });

  test.each([[[]], [['--skip-verify']]])(
    'from a stream makes its tables, and from a cut one writes nothing, with flags %j',
    async (flags) => {
      const cut = await runProgram([...restoreFlags(server), ...flags], { env, stdin: encrypted.subarray(0, -5) });
      expect({ exitCode: cut.exitCode, tables: await tableNames(server) }).toEqual({ exitCode: 9, tables: [] });
      expectDone(await runProgram([...restoreFlags(server), '--dry-run'], { env, stdin: encrypted }));
      expectDone(await runProgram([...restoreFlags(server), ...flags], { env, stdin: encrypted }));
      expect(await tableNames(server)).toEqual(['dtr2.tags']);
    },
  );
});
