/**
 * Runs once in a container of the e2e world, before the replica: fills its volumes, mounted at /ca, /notary and /data, with
 * what a new replica has there. Fills them once: a world that is started again keeps its keys.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createAuthority } from '../../support/pki.js';
import { createReplicaTls } from '../../support/replica/replica-tls.js';

const { DTR_REPLICA_ID: replicaId = '' } = process.env;
if (!existsSync('/ca/rethink/cert.pem')) {
  const { caVolume, notaryVolume, server } = createReplicaTls(createAuthority('DTR Root CA'), replicaId);
  fill('/ca', caVolume);
  fill('/notary', notaryVolume);
  // Where DTR keeps the pair that RethinkDB shows its clients is not documented: here it is with its data.
  fill(
    '/data',
    new Map([
      ['tls/cert.pem', Buffer.from(server.cert)],
      ['tls/key.pem', Buffer.from(server.key)],
    ]),
  );
}

function fill(directory: string, files: ReadonlyMap<string, Buffer>): void {
  for (const [path, content] of files) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode: 0o600 });
  }
}
