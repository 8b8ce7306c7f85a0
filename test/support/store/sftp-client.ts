/** The SFTP store as tests open it. */
import { Secret } from '#src/base/secret.js';
import { openSftpStore, type SftpSettings } from '#src/store/sftp/sftp-store.js';
import type { Store } from '#src/store/store.js';

export interface SftpEndpoint {
  readonly host: string;
  readonly port: number;
}

/** Disposing disposes of the store. */
export interface OpenedStore extends AsyncDisposable {
  readonly store: Store;
  readonly warnings: string[];
  readonly abort: AbortController;
}

/** What every server of the tests tells of itself. */
interface ServerFacts {
  readonly user: string;
  readonly privateKey: string;
  readonly fingerprint: string;
}

export function sftpSettings(server: ServerFacts, changes: Partial<SftpSettings> = {}): SftpSettings {
  return {
    user: server.user,
    privateKey: new Secret(server.privateKey),
    passphrase: undefined,
    password: undefined,
    knownHosts: undefined,
    fingerprint: server.fingerprint,
    connectWindowMs: 5000,
    readTimeoutMs: 10_000,
    ...changes,
  };
}

export async function openStore({ host, port }: SftpEndpoint, settings: SftpSettings): Promise<OpenedStore> {
  const warnings: string[] = [];
  const abort = new AbortController();
  const context = { signal: abort.signal, warn: (message: string) => void warnings.push(message) };
  const store = await openSftpStore({ user: undefined, host, port }, settings, context);
  return { store, warnings, abort, [Symbol.asyncDispose]: async () => store[Symbol.asyncDispose]() };
}

export async function readAll(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(Buffer.from(chunk));
  return Buffer.concat(all);
}

/** Writes and commits. */
export async function upload(store: Store, path: string, bytes: Buffer): Promise<void> {
  await using output = await store.openOutput(path, { force: false });
  for (let at = 0; at < bytes.length; at += 100_000) await output.write(bytes.subarray(at, at + 100_000));
  await output.commit();
}

export async function download(store: Store, path: string): Promise<Buffer> {
  await using input = await store.openInput(path);
  return await readAll(input.chunks);
}
