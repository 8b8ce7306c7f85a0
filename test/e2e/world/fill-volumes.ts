/**
 * Runs once in a container of the e2e world, before the replica: fills its volumes, mounted at /ca, /notary, /data and /storage,
 * with what a new replica has there. Fills them once: a world that is started again keeps its keys.
 */
import { createHash } from 'node:crypto';
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
  fill('/storage', registryFiles(['{"layer":1}', '{"layer":2}']));
}

function fill(directory: string, files: ReadonlyMap<string, Buffer>): void {
  for (const [path, content] of files) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode: 0o600 });
  }
}

/** As the registry's filesystem driver lays them out. */
function registryFiles(blobs: readonly string[]): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const blob of blobs) {
    const digest = createHash('sha256').update(blob).digest('hex');
    files.set(`docker/registry/v2/blobs/sha256/${digest.slice(0, 2)}/${digest}/data`, Buffer.from(blob));
    const link = `docker/registry/v2/repositories/admin/app/_layers/sha256/${digest}/link`;
    files.set(link, Buffer.from(`sha256:${digest}`));
  }
  return files;
}
