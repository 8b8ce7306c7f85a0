// The SFTP store against a server that loses connections, answers and bytes at chosen requests.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { reactOnce, startScriptedCase } from '../../support/store/scripted-case.js';
import type { ScriptedServer, SftpRequest } from '../../support/store/scripted-sftp-server.js';
import { download, readAll, upload } from '../../support/store/sftp-client.js';
import { until } from '../../support/until.js';

const bytes = randomBytes(1_000_001);
const names = (server: ScriptedServer): string[] => [...server.files.keys()].sort();
const refused = (exitCode: number, message: RegExp): object => ({
  name: 'JobError',
  exitCode,
  message: expect.stringMatching(message) as unknown,
});

describe('a connection that an SFTP server loses', () => {
  const requests: readonly SftpRequest[] = ['OPEN', 'WRITE', 'FSTAT', 'LSTAT', 'CLOSE', 'RENAME'];
  test.each(requests.flatMap((request) => (['do and cut', 'cut'] as const).map((how) => [request, how] as const)))(
    'with %s (%s) is made again, and the file is whole',
    async (request, how) => {
      const at = request === 'WRITE' ? 20 : 1;
      await using c = await startScriptedCase({ react: reactOnce(request, how, at) });
      await upload(c.opened.store, '/a.tar', bytes);
      expect(names(c.server)).toEqual(['/a.tar']);
      expect(c.server.files.get('/a.tar')?.content.equals(bytes)).toBe(true);
      expect(c.server.connections).toBe(2);
      expect(c.opened.warnings).toContainEqual(expect.stringMatching(/the connection is lost: .*; connecting again$/));
    },
  );

  test('with what the server took while an earlier write was open is written again', async () => {
    const c = await startScriptedCase({
      react: (request, count) => {
        if (request !== 'WRITE') return 'answer';
        if (count === 1) return 'ignore';
        if (count < 20) return 'answer';
        if (count > 20) return 'answer';
        for (const file of c.server.files.values()) file.content = Buffer.alloc(0);
        return 'cut';
      },
    });
    await using _case = c;
    await upload(c.opened.store, '/a.tar', bytes);
    expect(_case.server.files.get('/a.tar')?.content.equals(bytes)).toBe(true);
  });

  test('with bytes that it took and are gone from memory is the end', async () => {
    await using c = await startScriptedCase();
    await using output = await c.opened.store.openOutput('/a.tar', { force: false });
    await output.write(Buffer.alloc(4_000_000));
    for (const file of c.server.files.values()) file.content = Buffer.alloc(0);
    c.server.disconnect();
    const goOn = async (): Promise<void> => {
      for (;;) await output.write(bytes);
    };
    await expect(goOn()).rejects.toMatchObject(refused(8, /after a lost connection the server has 0 of \d+ bytes/));
    await output[Symbol.asyncDispose]();
    expect(names(c.server)).toEqual([]);
  });

  test('and never accepts again is an error after the window', async () => {
    await using c = await startScriptedCase({}, { connectWindowMs: 300 });
    await using output = await c.opened.store.openOutput('/a.tar', { force: false });
    await c.server[Symbol.asyncDispose]();
    const writing = output.write(bytes).then(() => output.commit());
    await expect(writing).rejects.toMatchObject(
      refused(
        8,
        /^cannot write the archive to sftp:.*: the connection is lost: .*; and connecting again: connection refused$/,
      ),
    );
    await output[Symbol.asyncDispose]();
    expect(c.opened.warnings.at(-1)).toMatch(/\.part cannot be removed: /);
  });

  test('with the rename, and for good, leaves open what is there, and says so', async () => {
    const c = await startScriptedCase({ react: reactOnce('RENAME', 'do and cut') }, { connectWindowMs: 300 });
    await using _case = c;
    c.server.requests.once('RENAME', () => c.server.stopListening());
    await expect(upload(c.opened.store, '/a.tar', bytes)).rejects.toMatchObject(
      refused(8, /whether it has its final name is not known: look there$/),
    );
    expect(names(_case.server)).toEqual(['/a.tar']);
  });

  test('while reading: the reading goes on where it was', async () => {
    await using c = await startScriptedCase({ react: reactOnce('READ', 'cut', 20) });
    c.server.files.set('/a.tar', { content: bytes, modifiedSeconds: 1 });
    expect((await download(c.opened.store, '/a.tar')).equals(bytes)).toBe(true);
    expect(c.server.connections).toBe(2);
  });

  test('while reading a file that is another afterwards is an error', async () => {
    const c = await startScriptedCase({
      react: (request, count) => {
        if (request !== 'READ' || count !== 20) return 'answer';
        c.server.files.set('/a.tar', { content: bytes, modifiedSeconds: 2 });
        return 'cut';
      },
    });
    await using _case = c;
    c.server.files.set('/a.tar', { content: bytes, modifiedSeconds: 1 });
    await expect(download(_case.opened.store, '/a.tar')).rejects.toMatchObject(
      refused(2, /it was changed or replaced while it was read$/),
    );
  });
});

describe('a connection that is idle', () => {
  test('is kept alive, and a dead one is noticed', async () => {
    const c = await startScriptedCase(
      { react: (request, count) => (request === 'REALPATH' && count === 3 ? 'ignore' : 'answer') },
      { readTimeoutMs: 600 },
    );
    await using _case = c;
    await using output = await c.opened.store.openOutput('/a.tar', { force: false });
    await until('the third keepalive', () => (c.server.counts.get('REALPATH') ?? 0) >= 3);
    await until('the end of its connection', () => _case.server.openConnections === 0);
    await output.write(bytes.subarray(0, 1000));
    await output.commit();
    expect(c.server.files.get('/a.tar')?.content.equals(bytes.subarray(0, 1000))).toBe(true);
  });
});

describe('an SFTP server that no longer answers', () => {
  test('is left after the timeout, and asked again', async () => {
    await using c = await startScriptedCase({ react: reactOnce('WRITE', 'ignore', 10) }, { readTimeoutMs: 1000 });
    await upload(c.opened.store, '/a.tar', bytes);
    expect(c.server.files.get('/a.tar')?.content.equals(bytes)).toBe(true);
    expect(c.opened.warnings).toContainEqual(expect.stringMatching(/no answer for 1 s; connecting again$/));
  });

  test('does not keep an abort waiting, nor the clean-up for long', async () => {
    await using c = await startScriptedCase({
      react: (request) => (request === 'WRITE' || request === 'REMOVE' ? 'ignore' : 'answer'),
    });
    const output = await c.opened.store.openOutput('/a.tar', { force: false });
    const reason = new Error('interrupted');
    const writing = output.write(Buffer.alloc(4_000_000));
    await once(c.server.requests, 'WRITE');
    c.opened.abort.abort(reason);
    await expect(writing).rejects.toBe(reason);
    const startMs = performance.now();
    await output[Symbol.asyncDispose]();
    expect(performance.now() - startMs).toBeLessThan(5000);
    expect(c.opened.warnings.at(-1)).toMatch(/cannot be removed: no answer within 3 s; remove it by hand$/);
  });

  test('does not keep a reader that is aborted', async () => {
    await using c = await startScriptedCase({ react: (request) => (request === 'READ' ? 'ignore' : 'answer') });
    c.server.files.set('/a.tar', { content: bytes, modifiedSeconds: 1 });
    await using input = await c.opened.store.openInput('/a.tar');
    const reading = readAll(input.chunks);
    await once(c.server.requests, 'READ');
    const reason = new Error('interrupted');
    c.opened.abort.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });
});
