import { describe, expect, test } from '@jest/globals';
import type { ReplicaId } from '#src/model/replica-access.js';
import { parseReplicaContainerName } from '#src/ucp/replica-containers.js';

const id = '0123456789ab' as ReplicaId;

describe('a replica’s container name', () => {
  test.each([
    [`/node-1/dtr-rethinkdb-${id}`, 'node-1', 'rethinkdb'],
    [`/dtr-worker-2.example.com/dtr-notary-signer-${id}`, 'dtr-worker-2.example.com', 'notary-signer'],
    [`/dtr-nginx-${id}`, undefined, 'nginx'],
    [`dtr-registry-${id}`, undefined, 'registry'],
  ])('%s is taken apart', (name, node, role) => {
    expect(parseReplicaContainerName(name)).toEqual({ node, role, replicaId: id });
  });

  test.each([
    `/node-1/my-dtr-rethinkdb-${id}`,
    `/node-1/dtr-rethinkdb-${id}-old`,
    `/node-1/dtr-rethinkdb-${id}c`,
    '/node-1/dtr-rethinkdb-0123456789AB',
    '/node-1/dtr-rethinkdb',
    '/node-1/dtr-phase2',
    `/node-1/dtr--${id}`,
    `/node-1/dtr-${id}`,
    `/a/b/dtr-rethinkdb-${id}`,
    '',
  ])('%p is none', (name) => {
    expect(parseReplicaContainerName(name)).toBeUndefined();
  });
});
