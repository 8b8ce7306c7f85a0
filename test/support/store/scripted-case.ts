/** A scripted SFTP server and the store that is signed in to it. */
import { Secret } from '#src/base/secret.js';
import type { SftpSettings } from '#src/store/sftp/sftp-store.js';
import { openStore, sftpSettings, type OpenedStore } from './sftp-client.js';
import {
  startScriptedServer,
  type Reaction,
  type ScriptedServer,
  type ScriptedServerOptions,
  type SftpRequest,
} from './scripted-sftp-server.js';

/** Disposing closes both. */
export interface ScriptedCase extends AsyncDisposable {
  readonly server: ScriptedServer;
  readonly opened: OpenedStore;
}

export async function startScriptedCase(
  options: ScriptedServerOptions = {},
  changes: Partial<SftpSettings> = {},
): Promise<ScriptedCase> {
  const server = await startScriptedServer(options);
  const facts = { ...server, privateKey: '' };
  const password = new Secret(server.password);
  const opened = await openStore(server, sftpSettings(facts, { privateKey: undefined, password, ...changes }));
  return {
    server,
    opened,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Reacts so to the one request of this count. */
export function reactOnce(
  request: SftpRequest,
  reaction: Reaction,
  at = 1,
): NonNullable<ScriptedServerOptions['react']> {
  return (name, count) => (name === request && count === at ? reaction : 'answer');
}
