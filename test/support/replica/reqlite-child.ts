/**
 * The embedded ReQL server as a process of its own: reqlite with our patches behind a plain or mutual-TLS listener.
 * Its one argument is JSON (`ReqliteSettings`); it prints `listening on port N` when it answers.
 */
import { readFileSync } from 'node:fs';
import { createServer as createPlainServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { addServerStatus, patchAnswers } from './reqlite-answers.js';
import { keepInJournal, replayJournal } from './reqlite-journal.js';
import { reqlite } from './reqlite-module.js';
import { patchFeeds } from './reqlite-feed.js';
import { patchReading } from './reqlite-reading.js';
import { patchValues } from './reqlite-values.js';

export interface ReqliteSettings {
  readonly directory: string;
  /** 127.0.0.1 when left out. */
  readonly host?: string;
  /** 0 asks the system for a free one. */
  readonly port: number;
  /** The files `ca.pem`, `cert.pem`, `key.pem` lie in the directory, and clients must show a certificate of that CA. */
  readonly tls: boolean;
  /** Answers as a server that is too old for `includeInitial`. */
  readonly withoutInitial?: boolean;
}

const settings = JSON.parse(process.argv[2] ?? '') as ReqliteSettings;
const { directory, host = '127.0.0.1', port, tls, withoutInitial = false } = settings;
const journal = join(directory, 'journal.ndjson');

// reqlite listens on every interface as soon as it is made; our own listener takes that over.
reqlite.Server.prototype._createServer = () => undefined;
patchValues();
patchReading();
patchFeeds(!withoutInitial);
patchAnswers((message, text) => keepInJournal(journal, message, text));
const server = new reqlite.Server({ name: 'embedded', silent: true });

function accept(socket: Socket): void {
  // It writes an answer in two parts, of which the second would wait 40 ms for the client's acknowledgement.
  socket.setNoDelay().on('error', () => socket.destroy());
  const versions = { version: server.protocolVersion, minProtocolVersion: 0, maxProtocolVersion: 0 };
  new reqlite.Connection(socket, server, { ...versions, authKey: '' });
}

function pem(name: string): Buffer {
  return readFileSync(join(directory, name));
}

const listener = tls
  ? createTlsServer(
      { ca: pem('ca.pem'), cert: pem('cert.pem'), key: pem('key.pem'), requestCert: true, rejectUnauthorized: true },
      accept,
    )
  : createPlainServer(accept);
server.databases.test = new reqlite.Database('test'); // As every RethinkDB has.
await replayJournal(journal, server);
listener.listen({ host, port }, () => {
  const { port: openPort } = listener.address() as { port: number };
  addServerStatus(server, openPort);
  process.stdout.write(`listening on port ${openPort}\n`);
});
