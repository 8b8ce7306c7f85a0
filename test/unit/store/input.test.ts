// Opens and reads that never return: an abort ends them, and disposing waits for nothing.
import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Input } from '#src/model/archive-stream.js';
import { openFileInput, streamInput } from '#src/store/input.js';
import { JobError } from '#src/base/errors.js';

let directory: string;
let path: string;
let controller: AbortController;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  path = join(directory, 'fifo');
  execFileSync('mkfifo', [path]);
  controller = new AbortController();
});
afterEach(() => rmSync(directory, { recursive: true }));

const terminated = new JobError(143, 'terminated');

async function textOf({ chunks }: Input): Promise<string> {
  const read: Buffer[] = [];
  for await (const chunk of chunks) read.push(chunk);
  return Buffer.concat(read).toString();
}

describe('a FIFO as an archive', () => {
  test('is read to its end, also where its writer comes late', async () => {
    await using input = await openFileInput(path, controller.signal);
    const text = textOf(input);
    const writer = await open(path, 'w');
    await writer.write('one');
    await writer.write('x'.repeat(100_000));
    await writer.close();
    expect(await text).toBe(`one${'x'.repeat(100_000)}`);
  });

  test('without a writer can be aborted', async () => {
    await using input = await openFileInput(path, controller.signal);
    const text = textOf(input);
    controller.abort(terminated);
    await expect(text).rejects.toBe(terminated);
  });

  test('whose writer has stopped can be aborted', async () => {
    await using input = await openFileInput(path, controller.signal);
    const writer = await open(path, 'w');
    await writer.write('some');
    const chunks = input.chunks[Symbol.asyncIterator]();
    expect(String((await chunks.next()).value)).toBe('some');
    const next = chunks.next();
    controller.abort(terminated);
    await expect(next).rejects.toBe(terminated);
    await writer.close();
  });
});

test('a stream over a file whose read never returns can be aborted', async () => {
  // Opened for both, it waits for no writer, and has no end.
  const fd = openSync(path, 'r+');
  const stream = createReadStream('', { fd });
  await using input = streamInput(stream, controller.signal);
  const text = textOf(input);
  controller.abort(terminated);
  await expect(text).rejects.toBe(terminated);
  // Or the thread that reads would wait for ever, and this process with it.
  stream.destroy();
  writeFileSync(path, 'end');
});

test('after an abort, a file is neither opened nor read', async () => {
  const file = join(directory, 'file');
  writeFileSync(file, 'content');
  await using input = await openFileInput(file, controller.signal);
  controller.abort(terminated);
  await expect(textOf(input)).rejects.toBe(terminated);
  await expect(openFileInput(file, controller.signal)).rejects.toBe(terminated);
});
