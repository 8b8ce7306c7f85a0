// A mounted storage whose disk does not answer. What stands still here is the process that reads it: to the job, and to
// whoever sends it a signal, that is the same as a disk that keeps it waiting.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { JobError } from '#src/base/errors.js';
import { MountedReader } from '#src/archive/images/mounted-reader.js';
import { walkMountedStorage } from '#src/archive/images/mounted-storage.js';
import { expectFailure } from '../../support/failure.js';
import { sampleReplica } from '../../support/image-archive.js';
import { Program } from '../../support/program.js';
import { readersOf, stateOf, stopReader } from '../../support/reader-process.js';
import { addBlob, fillRegistryTree } from '../../support/registry-tree.js';

let storage: string;

beforeEach(() => {
  storage = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  fillRegistryTree(storage, { smallBlobs: 3, largeBlobBytes: 1_000_000 });
});
afterEach(() => rmSync(storage, { recursive: true }));

describe('a disk that does not answer', () => {
  async function stalledProgram(...more: string[]): Promise<{ program: Program; reader: number }> {
    addBlob(storage, Buffer.alloc(12_000_000, 'x'));
    const flags = ['--registry-path', storage, '--existing-replica-id', sampleReplica, ...more];
    const program = new Program(['images', ...flags]);
    await program.readThenStall(100_000);
    return { program, reader: stopReader(program) };
  }

  test('ends the run with 5 after --read-timeout, and leaves no process', async () => {
    const { program, reader } = await stalledProgram('--read-timeout', '1');
    expectFailure(await program.ended(), 5, /gave no data within 1 s: does its disk or NFS server respond/);
    expect(stateOf(reader)).toMatch(/gone|Z/);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('does not keep %s from being heard at once', async (signal, exitCode) => {
    const { program, reader } = await stalledProgram('--read-timeout', '600');
    program.child.kill(signal);
    expectFailure(await program.ended(), exitCode, new RegExp(signal));
    expect(stateOf(reader)).toMatch(/gone|Z/);
  });
});

describe('the process that reads', () => {
  const limits = { timeoutMs: 30_000, signal: new AbortController().signal };

  test('gives what the walk gives, whether bodies are taken or passed over', async () => {
    writeFileSync(join(storage, 'm\\n'), 'left out');
    const expected = [...walkMountedStorage(storage)].map((item) => (item.kind === 'entry' ? item.entry : item));
    await using reader = new MountedReader(storage, limits);
    expect(await reader.look()).toEqual({ kind: 'root', isDirectory: true, hasRegistry: true });
    const found: unknown[] = [];
    let isTaken = false;
    for await (const item of reader.items()) {
      found.push(item.kind === 'entry' ? item.entry : item);
      if (item.kind !== 'entry' || item.entry.type !== 'file') continue;
      // Every other one is passed over; the large blob stands last.
      isTaken = !isTaken || item.entry.bytes > 500_000;
      let bytes = 0;
      if (isTaken) for await (const piece of item.body) bytes += piece.length;
      expect([bytes, item.changes()]).toEqual([isTaken ? item.entry.bytes : 0, undefined]);
    }
    expect(found).toEqual(expected);
    await using second = new MountedReader(storage, limits);
    await second.look();
    const passed: unknown[] = [];
    for await (const item of second.items()) passed.push(item.kind === 'entry' ? item.entry : item);
    expect(passed).toEqual(expected);
  });

  test('says of what is not there that it is not', async () => {
    await using reader = new MountedReader(join(storage, 'none'), limits);
    expect(await reader.look()).toEqual({ kind: 'root', isDirectory: false, hasRegistry: false });
  });

  test('that was killed is an error', async () => {
    await using reader = new MountedReader(storage, limits);
    await reader.look();
    for (const pid of readersOf(process.pid)) process.kill(pid, 'SIGKILL');
    await expect(reader.items().next()).rejects.toThrow(/the process that reads it ended \(SIGKILL|its output ended\)/);
  });

  test('is not waited for once the job is to end', async () => {
    const controller = new AbortController();
    await using reader = new MountedReader(storage, { timeoutMs: 600_000, signal: controller.signal });
    controller.abort(new JobError(ExitCode.terminated, 'terminated'));
    await expect(reader.look()).rejects.toThrow('terminated');
  });
});
