// The SFTP store against servers that are not OpenSSH's: they lack extensions, refuse, and ask for passwords.
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Secret } from '#src/base/secret.js';
import { reactOnce, startScriptedCase } from '../../support/store/scripted-case.js';
import type { ScriptedServer } from '../../support/store/scripted-sftp-server.js';
import { download, upload } from '../../support/store/sftp-client.js';

const bytes = randomBytes(1_000_001);
const names = (server: ScriptedServer): string[] => [...server.files.keys()].sort();
const refused = (exitCode: number, message: RegExp): object => ({
  name: 'JobError',
  exitCode,
  message: expect.stringMatching(message) as unknown,
});

describe('an SFTP server without extensions', () => {
  test('takes and gives files; that it does not sync is said once', async () => {
    await using c = await startScriptedCase();
    await upload(c.opened.store, '/a.tar', bytes);
    await upload(c.opened.store, '/b.tar', bytes);
    expect(names(c.server)).toEqual(['/a.tar', '/b.tar']);
    expect((await download(c.opened.store, '/a.tar')).equals(bytes)).toBe(true);
    expect(c.opened.warnings).toEqual([expect.stringMatching(/^sftp:.*: the server does not sync files/)]);
  });

  test('replaces nothing, which is said before anything is written', async () => {
    await using c = await startScriptedCase();
    await upload(c.opened.store, '/a.tar', Buffer.from('older'));
    const message = /exists, and this server cannot replace a file in one step: remove it first$/;
    await expect(c.opened.store.openOutput('/a.tar', { force: true })).rejects.toMatchObject(refused(8, message));
    await using output = await c.opened.store.openOutput('/new.tar', { force: true });
    await output.commit();
    expect(names(c.server)).toEqual(['/a.tar', '/new.tar']);
  });
});

describe('what an SFTP server refuses', () => {
  test.each([
    ['WRITE', { status: 4, message: 'Failure' }, /: the server gives no reason: its disk may be full$/],
    ['WRITE', { status: 4, message: 'Disk quota exceeded' }, /: Disk quota exceeded$/],
    ['WRITE', { status: 3 }, /: permission denied$/],
    ['CLOSE', { status: 4 }, /: the server gives no reason: its disk may be full$/],
    ['RENAME', { status: 4 }, /: the server gives no reason: its disk may be full$/],
    ['OPEN', { status: 4 }, /: the server gives no reason: its disk may be full$/],
    ['OPEN', { status: 3 }, /: permission denied$/],
    ['FSTAT', { status: 8 }, /: the server does not know this request$/],
  ] as const)('%s with %j leaves nothing behind', async (request, reaction, message) => {
    await using c = await startScriptedCase({ react: reactOnce(request, reaction) });
    await expect(upload(c.opened.store, '/a.tar', bytes)).rejects.toMatchObject(refused(8, message));
    expect(names(c.server)).toEqual([]);
    expect(c.opened.warnings.filter((warning) => !warning.includes('sync'))).toEqual([]);
  });

  test('a write in the middle ends all later ones', async () => {
    await using c = await startScriptedCase({ react: reactOnce('WRITE', { status: 4 }, 20) });
    await using output = await c.opened.store.openOutput('/a.tar', { force: false });
    const write = async (): Promise<void> => {
      for (;;) await output.write(bytes);
    };
    await expect(write()).rejects.toMatchObject(refused(8, /disk may be full/));
    await expect(output.write(Buffer.alloc(1))).rejects.toMatchObject(refused(8, /disk may be full/));
    await expect(output.commit()).rejects.toMatchObject(refused(8, /disk may be full/));
    await output[Symbol.asyncDispose]();
    expect(names(c.server)).toEqual([]);
  });

  test('a read', async () => {
    await using c = await startScriptedCase({
      react: reactOnce('READ', { status: 4, message: 'Input/output error' }, 3),
    });
    c.server.files.set('/a.tar', { content: bytes, modifiedSeconds: 1 });
    await expect(download(c.opened.store, '/a.tar')).rejects.toMatchObject(
      refused(2, /^cannot read the archive from sftp:.*: Input\/output error$/),
    );
  });

  test('a .part that it does not let go of is named', async () => {
    await using c = await startScriptedCase({ react: reactOnce('REMOVE', { status: 3 }) });
    await (await c.opened.store.openOutput('/a.tar', { force: false }))[Symbol.asyncDispose]();
    expect(c.opened.warnings).toEqual([
      expect.stringMatching(/^sftp:.*\/a\.tar\.[0-9a-f]{8}\.part cannot be removed: .*; remove it by hand$/),
    ]);
  });

  test('a file that is shorter after it was closed does not get its name', async () => {
    await using c = await startScriptedCase({ onClose: (file) => (file.content = file.content.subarray(1)) });
    await expect(upload(c.opened.store, '/a.tar', bytes)).rejects.toMatchObject(
      refused(8, /has 1000000 bytes on the server instead of 1000001: the archive is not whole$/),
    );
    expect(names(c.server)).toEqual([]);
  });

  test('a file that appears in the moment of the rename stays', async () => {
    const c = await startScriptedCase({
      react: (request) => {
        if (request === 'RENAME') c.server.files.set('/a.tar', { content: Buffer.from('other'), modifiedSeconds: 1 });
        return 'answer';
      },
    });
    await using _case = c;
    await expect(upload(c.opened.store, '/a.tar', bytes)).rejects.toMatchObject(
      refused(8, /a\.tar appeared while it was written, and is not overwritten$/),
    );
    expect(c.server.files.get('/a.tar')?.content.toString()).toBe('other');
    expect(names(_case.server)).toEqual(['/a.tar']);
    expect(await c.opened.store.writeText('/a.tar', 'mine', { replaces: false })).toBe(false);
  });
});

describe('a password', () => {
  test('may be asked for interactively', async () => {
    await using c = await startScriptedCase({
      auth: (context) => {
        if (context.method !== 'keyboard-interactive') {
          context.reject(['keyboard-interactive']);
          return;
        }
        context.prompt([{ prompt: 'Password: ', echo: false }], (answers) => {
          if (answers[0] === 'correct horse') context.accept();
          else context.reject(['keyboard-interactive']);
        });
      },
    });
    await upload(c.opened.store, '/a.tar', bytes);
  });

  test('that is wrong is not printed', async () => {
    await using c = await startScriptedCase({}, { password: new Secret('donkey'), connectWindowMs: 0 });
    const failure = c.opened.store.openInput('/a.tar');
    await expect(failure).rejects.toMatchObject(
      refused(
        2,
        /: the server refuses the sign-in of scripted: check the user, --sftp-key and --sftp-password; it accepts: password$/,
      ),
    );
    await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining('donkey') as unknown });
  });
});
