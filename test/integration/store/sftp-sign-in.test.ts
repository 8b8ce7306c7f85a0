// Reaching an SFTP server: host keys, sign-in, and what an operator reads when it fails.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Secret } from '#src/base/secret.js';
import type { SftpSettings } from '#src/store/sftp/sftp-store.js';
import { openStore, sftpSettings, type SftpEndpoint } from '../../support/store/sftp-client.js';
import {
  hasSshServer,
  knownHostsLine,
  makeKey,
  makeKeys,
  startSshServer,
  type SshServer,
} from '../../support/store/ssh-server.js';
import { startLocalServer } from '../../support/local-server.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';

const describeWithServer = hasSshServer() ? describe : describe.skip;

describeWithServer('signing in to an SFTP server', () => {
  let server: SshServer;
  let keys: string;
  let otherKeys: string;
  beforeAll(async () => {
    keys = makeKeys();
    otherKeys = makeKeys();
    server = await startSshServer({ keys });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    for (const directory of [keys, otherKeys]) rmSync(directory, { recursive: true });
  });

  /** What listing the server's directory fails with; undefined where it succeeds. */
  async function failure(changes: Partial<SftpSettings>, endpoint: SftpEndpoint = server): Promise<string | undefined> {
    try {
      await using opened = await openStore(endpoint, sftpSettings(server, { connectWindowMs: 0, ...changes }));
      await opened.store.list(`${server.directory}/`);
      return undefined;
    } catch (error) {
      expect(error).toMatchObject({ exitCode: 2 });
      return (error as Error).message;
    }
  }
  const trust = (knownHosts: string | undefined): Partial<SftpSettings> => ({ fingerprint: undefined, knownHosts });
  const line = (from: string, type: string): string => knownHostsLine(from, type, server.port);

  test.each(['ed25519', 'rsa', 'ecdsa'] as const)('its %s key alone may be known', async (type) => {
    expect(await failure(trust(line(keys, type)))).toBeUndefined();
    expect(await failure({ fingerprint: server.fingerprints[type] })).toBeUndefined();
  });

  test('known_hosts may be hashed, as `ssh-keygen -H` does it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
    const file = join(directory, 'known_hosts');
    try {
      const scanned = execFileSync('ssh-keyscan', ['-p', String(server.port), server.host], {
        encoding: 'utf8',
        stdio: 'pipe',
      });
      execFileSync('sh', ['-c', 'cat > "$0"', file], { input: scanned });
      execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'pipe' });
      const text = readFileSync(file, 'utf8');
      expect(text).toMatch(/^\|1\|/m);
      expect(await failure(trust(text))).toBeUndefined();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test.each([
    [
      'nothing is given',
      () => undefined,
      /: neither --ssh-known-hosts nor --ssh-fingerprint says which host key is right: the server shows/,
    ],
    [
      'the host is unknown',
      () => 'other ssh-ed25519 AAAA',
      /: --ssh-known-hosts has no line for \[127\.0\.0\.1\]:\d+: the server shows/,
    ],
    [
      'the key is another',
      () => line(otherKeys, 'ed25519'),
      /: its host key is not the one that --ssh-known-hosts has for \[127\.0\.0\.1\]:\d+: the server shows/,
    ],
    ['the key is revoked', () => `@revoked ${line(keys, 'ed25519')}\n${line(keys, 'ed25519')}`, /marked @revoked/],
    [
      'there is an authority only',
      () => `@cert-authority ${line(otherKeys, 'ed25519')}`,
      /has only @cert-authority lines/,
    ],
  ])('where %s, its fingerprint is shown', async (_what, knownHosts, message) => {
    const text = await failure(trust(knownHosts()));
    expect(text).toMatch(message);
    expect(text).toContain(server.fingerprints.ed25519);
    expect(text).not.toContain('\n');
  });

  test('a fingerprint of none of its keys is refused; all that it has are shown', async () => {
    const text = await failure({ fingerprint: `SHA256:${'A'.repeat(43)}` });
    expect(text).toMatch(/its host key is not that of --ssh-fingerprint, SHA256:A+: the server shows/);
    for (const fingerprint of Object.values(server.fingerprints)) expect(text).toContain(fingerprint);
  });

  test('a server without any of the known kinds of keys shows the one that it has', async () => {
    const config = ['HostKeyAlgorithms rsa-sha2-512'];
    await using rsaOnly = await startSshServer({ keys, config });
    const text = await failure(trust(knownHostsLine(keys, 'ed25519', rsaOnly.port)), rsaOnly);
    expect(text).toMatch(/its host key is not the one that --ssh-known-hosts has/);
    expect(text).toContain(server.fingerprints.rsa);
  });

  test('when writing, the exit code is 8', async () => {
    await using opened = await openStore(server, sftpSettings(server, trust('')));
    const { store } = opened;
    const error = {
      exitCode: 8,
      message: expect.stringMatching(/^cannot write the archive to sftp:.*has no line for/) as unknown,
    };
    await expect(store.openOutput(join(server.directory, 'a'), { force: false })).rejects.toMatchObject(error);
    await expect(store.assertFree(join(server.directory, 'a'), { force: false })).rejects.toMatchObject(error);
  });

  test('a key may have a passphrase, in each format', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
    try {
      for (const [index, options] of [['ed25519'], ['rsa', '-m', 'PEM'], ['ecdsa', '-m', 'PEM']].entries()) {
        const [type = '', ...format] = options;
        const encrypted = makeKey(join(directory, String(index)), type, '-N', 'horse', ...format);
        const privateKey = new Secret(encrypted);
        expect(await failure({ privateKey })).toMatch(
          /^--sftp-key cannot be used: it is encrypted: give its passphrase/,
        );
        const wrong = { privateKey, passphrase: new Secret('donkey') };
        expect(await failure(wrong)).toBe('--sftp-key cannot be used: its passphrase does not open it');
        // The server does not know this key: it was opened, and offered.
        const opened = await failure({ privateKey, passphrase: new Secret('horse') });
        expect(opened).toMatch(
          /: the server refuses the sign-in of .*: check the user, --sftp-key .*it accepts: publickey/,
        );
        expect(opened).not.toMatch(/horse|PRIVATE/);
        const publicKey = new Secret(readFileSync(join(directory, `${index}.pub`), 'utf8'));
        expect(await failure({ privateKey: publicKey })).toMatch(/it is a public key: give the private one$/);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
    expect(await failure({ privateKey: new Secret('no key') })).toMatch(/it is not a private key/);
  });

  test('what nobody could sign in with is refused before anything is connected', async () => {
    expect(await failure({ user: undefined })).toMatch(
      /names no user: write sftp:\/\/USER@host\/path, or give --sftp-user$/,
    );
    expect(await failure({ privateKey: undefined })).toMatch(/needs --sftp-key or --sftp-password$/);
    expect(await failure({ fingerprint: 'MD5:00' })).toMatch(/^--ssh-fingerprint is not one/);
  });

  test('a server without SFTP', async () => {
    await using bare = await startSshServer({ keys, config: ['Subsystem other internal-sftp'] });
    expect(await failure({}, bare)).toMatch(/: the server offers no SFTP \(/);
  });

  test('a server without SFTP, whose subsystem ends at once', async () => {
    await using broken = await startSshServer({ keys, config: ['Subsystem sftp /bin/false'] });
    expect(await failure({}, broken)).toMatch(/: the server offers no SFTP \(/);
  });

  test('no server, an unknown name, and others than SSH servers', async () => {
    const gone = await startLocalServer(() => undefined);
    await gone[Symbol.asyncDispose]();
    expect(await failure({}, gone)).toMatch(/^cannot list sftp:.*: connection refused$/);
    expect(await failure({}, { host: 'no-such-host.invalid', port: 22 })).toMatch(
      /: (unknown host name|its name cannot be looked up now)$/,
    );
    await using web = await startLocalServer((client) => client.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await failure({}, web)).toMatch(/: 127\.0\.0\.1:\d+ is not an SSH server$/);
    await using noise = await startLocalServer((client) => client.end(Buffer.alloc(100_000, 'x')));
    expect(await failure({}, noise)).toMatch(/is not an SSH server$/);
    await using closing = await startLocalServer((client) => client.end());
    expect(await failure({}, closing)).toMatch(/: the server closed the connection in the handshake$/);
    await using silent = await startLocalServer(() => undefined);
    expect(await failure({}, silent)).toMatch(/: the handshake was not done within 2 s$/);
  });

  test('a server that comes up within the window is waited for', async () => {
    const gone = await startLocalServer(() => undefined);
    await gone[Symbol.asyncDispose]();
    await using opened = await openStore(gone, sftpSettings(server, { connectWindowMs: 20_000 }));
    const listing = opened.store.list(`${server.directory}/`);
    await using proxy = await startTcpProxy(server, { port: gone.port });
    await listing;
    expect(proxy.connections).toBe(1);
    expect(opened.warnings.length).toBeLessThanOrEqual(1);
  });

  test('an abort ends the wait at once', async () => {
    await using silent = await startLocalServer(() => undefined);
    await using opened = await openStore(silent, sftpSettings(server));
    const listing = opened.store.list('');
    const reason = new Error('interrupted');
    opened.abort.abort(reason);
    await expect(listing).rejects.toBe(reason);
  });
});
