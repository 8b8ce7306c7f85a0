// The SFTP store against OpenSSH's own server: files, refusals, host keys, sign-in.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { JobError } from '#src/base/errors.js';
import { Secret } from '#src/base/secret.js';
import { openSftpStore, type SftpSettings } from '#src/store/sftp/sftp-store.js';
import type { Store } from '#src/store/store.js';
import { hasSshServer, startSshServer, type SshServer } from '../../support/store/ssh-server.js';

const describeWithServer = hasSshServer() ? describe : describe.skip;

async function readAll(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(Buffer.from(chunk));
  return Buffer.concat(all);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describeWithServer('the SFTP store', () => {
  let server: SshServer;
  let store: Store;
  let warnings: string[];
  let directory: string;
  let abort: AbortController;
  beforeAll(async () => {
    server = await startSshServer();
  });
  afterAll(async () => server[Symbol.asyncDispose]());

  function settings(changes: Partial<SftpSettings> = {}): SftpSettings {
    return {
      user: server.user,
      privateKey: new Secret(server.privateKey),
      passphrase: undefined,
      password: undefined,
      knownHosts: server.knownHosts,
      fingerprint: undefined,
      connectWindowMs: 5000,
      readTimeoutMs: 10_000,
      ...changes,
    };
  }

  function open(changes: Partial<SftpSettings> = {}): Promise<Store> {
    const context = { signal: abort.signal, warn: (message: string) => void warnings.push(message) };
    return openSftpStore({ user: undefined, host: server.host, port: server.port }, settings(changes), context);
  }

  beforeEach(async () => {
    warnings = [];
    abort = new AbortController();
    directory = join(server.directory, randomBytes(4).toString('hex'));
    mkdirSync(directory);
    store = await open();
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  test('a file appears whole under its name when it is committed, and never before', async () => {
    const path = join(directory, 'a.tar');
    const bytes = randomBytes(5_000_001);
    await using output = await store.openOutput(path, { force: false });
    for (let at = 0; at < bytes.length; at += 777_777) {
      // The caller uses its buffer again.
      const chunk = Buffer.from(bytes.subarray(at, at + 777_777));
      await output.write(chunk);
      chunk.fill(0);
    }
    expect(readdirSync(directory)).toEqual([expect.stringMatching(/^a\.tar\.[0-9a-f]{8}\.part$/)]);
    await output.commit();
    expect(readdirSync(directory)).toEqual(['a.tar']);
    expect(sha256(readFileSync(path))).toBe(sha256(bytes));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(warnings).toEqual([]);
    await using input = await store.openInput(path);
    expect(input.sizeBytes).toBe(bytes.length);
    expect(input.name).toBe(`sftp://127.0.0.1:${server.port}${path}`);
    expect(sha256(await readAll(input.chunks))).toBe(sha256(bytes));
    await using again = input.again?.();
    expect(sha256(await readAll(again?.chunks ?? input.chunks))).toBe(sha256(bytes));
  });
});
