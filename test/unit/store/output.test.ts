// The messages for failed writes to stdout, and for a run that is aborted meanwhile.
import { describe, expect, test } from '@jest/globals';
import type { ByteSink } from '#src/model/archive-stream.js';
import { outputError, stdoutOutput } from '#src/store/output.js';
import { JobError } from '#src/base/errors.js';
import { ExitCode } from '#src/base/exit-codes.js';

const failed = (code: string): Error => Object.assign(new Error('it failed'), { code });

test.each([
  [failed('ENOSPC'), 'the disk is full'],
  [failed('EPIPE'), 'the reader has gone away'],
  [failed('EXYZ'), 'it failed'],
  [new Error('it failed'), 'it failed'],
])('the message for %p gives the reason', (error, reason) => {
  expect(outputError('/b/a.tar', error)).toMatchObject({
    exitCode: ExitCode.output,
    message: `cannot write the archive to /b/a.tar: ${reason}`,
    cause: error,
  });
});

test('a JobError stays as it is', () => {
  const told = new JobError(ExitCode.usage, 'told');
  expect(outputError('/b/a.tar', told)).toBe(told);
});

describe('stdout', () => {
  const { signal } = new AbortController();
  const taking: ByteSink = { write: () => Promise.resolve(), commit: () => Promise.resolve() };
  const broken: ByteSink = {
    write: () => Promise.reject(failed('EPIPE')),
    commit: () => Promise.reject(failed('EIO')),
  };

  test('writes to its sink', async () => {
    await using output = stdoutOutput(taking, signal);
    await expect(output.write(Buffer.from('a'))).resolves.toBeUndefined();
    await expect(output.commit()).resolves.toBeUndefined();
    expect(output.name).toBe('stdout');
  });

  test('fails with the reason of its sink', async () => {
    await using output = stdoutOutput(broken, signal);
    await expect(output.write(Buffer.from('a'))).rejects.toMatchObject({
      exitCode: ExitCode.output,
      message: 'cannot write the archive to stdout: the reader has gone away',
    });
    await expect(output.commit()).rejects.toMatchObject({
      exitCode: ExitCode.output,
      message: 'cannot write the archive to stdout: the disk or device reports an error',
    });
  });

  test('rejects with the reason of an abort, also without a reader', async () => {
    const stop = new AbortController();
    const reason = new Error('stopped');
    await using output = stdoutOutput({ ...taking, write: () => new Promise(() => undefined) }, stop.signal);
    const writing = output.write(Buffer.from('a'));
    stop.abort(reason);
    await expect(writing).rejects.toBe(reason);
  });
});
