/** Runs once in a container of the e2e world, on the overlay network: fills the replica's RethinkDB over mutual TLS. */
import { readFileSync } from 'node:fs';
import { Secret } from '#src/base/secret.js';
import { r, withConnection } from '../../support/replica/driver.js';
import { seedReplica } from '../../support/replica/seed.js';

const { DTR_REPLICA_ID: replicaId = '' } = process.env;
const address = { host: `dtr-rethinkdb-${replicaId}.dtr-ol`, port: 28015 };
const pem = (path: string): string => readFileSync(`/ca/${path}`, 'utf8');
const identity = {
  ca: pem('rethink/cert.pem'),
  cert: pem('rethink-client/cert.pem'),
  key: new Secret(pem('rethink-client/key.pem')),
};

const databases = await withConnection(address, (connection) => r.dbList().run(connection), identity);
if (databases.includes('dtr2')) {
  console.log('The replica is filled already');
} else {
  const totals = await seedReplica(address, { repositories: 40, events: 20_000 }, identity);
  console.log(`The replica holds ${[...totals.values()].reduce((sum, count) => sum + count, 0)} documents`);
}
