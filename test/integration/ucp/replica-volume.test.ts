// A replica's certificate volumes through UCP: where they are, and the tars as streams, whole and broken.
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { extract } from 'tar-stream';
import { ExitCode } from '#src/base/exit-codes.js';
import type { ReplicaId } from '#src/model/replica-access.js';
import type { DockerApi } from '#src/ucp/docker-api.js';
import { findReplica, type ReplicaContainers } from '#src/ucp/replica-containers.js';
import { locateVolume, openVolume, type OpenVolume } from '#src/ucp/replica-volume.js';
import { until } from '../../support/until.js';
import { addContainer, type ClusterContainer } from '../../support/ucp/cluster.js';
import { visitUcp, type Visit } from '../../support/ucp/visit.js';

const id = '0123456789ab' as ReplicaId;
const archive = /^GET \/containers\/\w+\/archive/;
const bigCa = { 'cert.pem': Buffer.alloc(3_000_000, 'c') };

async function arrive(visit: Visit, timeoutMs = 5000): Promise<{ docker: DockerApi; replica: ReplicaContainers }> {
  const docker = await visit.docker({ timeoutMs });
  return { docker, replica: await findReplica(docker, id) };
}

async function filesIn(opened: OpenVolume | undefined): Promise<Record<string, string>> {
  if (opened === undefined) throw new Error('no archive');
  const files: Record<string, string> = {};
  const entries = extract();
  opened.tar.pipe(entries);
  for await (const entry of entries) {
    const body = await buffer(entry);
    if (entry.header.type === 'file') files[entry.header.name] = body.toString();
  }
  return files;
}

async function open(docker: DockerApi, replica: ReplicaContainers): Promise<Readable> {
  const opened = await openVolume(docker, replica, 'ca');
  if (opened === undefined) throw new Error('no archive');
  return opened.tar;
}

function containerOf(visit: Visit, role: string): ClusterContainer {
  const found = visit.ucp.state.containers.find(({ name }) => name === `dtr-${role}-${id}`);
  if (found === undefined) throw new Error(`no container of role ${role}`);
  return found;
}

describe('the certificate volumes', () => {
  test('are read through the containers that have them mounted', async () => {
    const ca = { 'rethink/cert.pem': 'CA', 'rethink-client/key.pem': 'KEY' };
    await using visit = await visitUcp({ replicas: [{ id, ca, notary: { 'a/b/c.pem': 'NOTARY' } }] });
    const { docker, replica } = await arrive(visit);
    expect(await filesIn(await openVolume(docker, replica, 'ca'))).toEqual({
      'ca/rethink/cert.pem': 'CA',
      'ca/rethink-client/key.pem': 'KEY',
    });
    expect(await filesIn(await openVolume(docker, replica, 'notary'))).toEqual({ 'notary/a/b/c.pem': 'NOTARY' });
  });

  test('are read from a directory of the stand-in, too', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ca-'));
    await mkdir(join(directory, 'rethink'));
    await writeFile(join(directory, 'rethink', 'cert.pem'), 'CA');
    await using visit = await visitUcp({ replicas: [{ id, ca: { directory } }] });
    const { docker, replica } = await arrive(visit);
    expect(await filesIn(await openVolume(docker, replica, 'ca'))).toEqual({ 'ca/rethink/cert.pem': 'CA' });
    await rm(directory, { recursive: true });
  });

  test('are found under a name without a node, at another path, in a container that is stopped', async () => {
    await using visit = await visitUcp({ replicas: [{ id }] });
    for (const container of visit.ucp.state.containers) container.mounts = [];
    const garant = containerOf(visit, 'garant');
    garant.state = 'exited';
    garant.mounts = [{ volume: `dtr-notary-${id}`, path: '/var/lib/keys', content: { 'key.pem': 'KEY' } }];
    const { docker, replica } = await arrive(visit);
    expect(await locateVolume(docker, replica, 'notary')).toMatchObject({
      container: { role: 'garant' },
      path: '/var/lib/keys',
    });
    expect(await filesIn(await openVolume(docker, replica, 'notary'))).toEqual({ 'keys/key.pem': 'KEY' });
  });

  test('the CA is looked for at /ca of RethinkDB’s container where no mount names it', async () => {
    await using visit = await visitUcp({ replicas: [{ id }] });
    for (const container of visit.ucp.state.containers) container.mounts = [];
    containerOf(visit, 'rethinkdb').mounts = [{ path: '/ca', content: { 'rethink/cert.pem': 'CA' } }];
    const { docker, replica } = await arrive(visit);
    expect(await filesIn(await openVolume(docker, replica, 'ca'))).toEqual({ 'ca/rethink/cert.pem': 'CA' });
  });

  test('are undefined where the replica has none', async () => {
    await using visit = await visitUcp({ replicas: [{ id }] });
    for (const container of visit.ucp.state.containers) container.mounts = [];
    const { docker, replica } = await arrive(visit);
    expect(await openVolume(docker, replica, 'notary')).toBeUndefined();
    expect(await openVolume(docker, replica, 'ca')).toBeUndefined();
  });

  test('are not read through a container of no role of DTR’s, whatever volumes of their names it has', async () => {
    await using visit = await visitUcp({ replicas: [{ id }] });
    for (const container of visit.ucp.state.containers) container.mounts = [];
    const mounts = [{ volume: `node-2/dtr-notary-${id}`, path: '/notary', content: { 'key.pem': 'EVIL' } }];
    addContainer(visit.ucp.state, { name: `dtr-notary-${id}`, node: 'node-2', mounts });
    const { docker, replica } = await arrive(visit);
    expect(await locateVolume(docker, replica, 'notary')).toBeUndefined();
  });

  test('of another replica are left alone', async () => {
    await using visit = await visitUcp({ replicas: [{ id }] });
    for (const container of visit.ucp.state.containers) container.mounts = [];
    containerOf(visit, 'api').mounts = [{ volume: 'node/dtr-notary-ba9876543210', path: '/n', content: {} }];
    const { docker, replica } = await arrive(visit);
    expect(await locateVolume(docker, replica, 'notary')).toBeUndefined();
  });
});

describe('the stream of an archive', () => {
  test('fails where the connection is cut', async () => {
    await using visit = await visitUcp({ replicas: [{ id, ca: bigCa }] });
    const { docker, replica } = await arrive(visit);
    visit.ucp.faults.add({ on: archive, fault: { kind: 'cut' } });
    const { message } = await visit.failureOf(buffer(await open(docker, replica)), ExitCode.ucpUnreachable);
    expect(message).toContain('was cut short');
  });

  test('fails where no more comes', async () => {
    await using visit = await visitUcp({ replicas: [{ id, ca: bigCa }] });
    const { docker, replica } = await arrive(visit, 500);
    visit.ucp.faults.add({ on: archive, fault: { kind: 'stall' } });
    const { message } = await visit.failureOf(buffer(await open(docker, replica)), ExitCode.ucpUnreachable);
    expect(message).toContain('within 0.5 s');
  });

  test('takes longer than the limit where only its reader is slow', async () => {
    await using visit = await visitUcp({ replicas: [{ id, ca: bigCa }] });
    const { docker, replica } = await arrive(visit, 500);
    const tar = await open(docker, replica);
    const startMs = performance.now();
    await until('more time than the limit has passed', () => performance.now() - startMs > 700);
    expect((await buffer(tar)).length).toBeGreaterThan(3_000_000);
  });

  test('keeps an error for its reader while nobody reads', async () => {
    await using visit = await visitUcp({ replicas: [{ id, ca: bigCa }] });
    const { docker, replica } = await arrive(visit);
    visit.ucp.faults.add({ on: archive, fault: { kind: 'cut' } });
    const tar = await open(docker, replica);
    visit.stop.abort(new Error('interrupted'));
    await until('the stream is destroyed', () => tar.destroyed);
    await expect(buffer(tar)).rejects.toMatchObject({ message: 'interrupted' });
  });

  test('ends with the reason of an abort', async () => {
    await using visit = await visitUcp({ replicas: [{ id, ca: bigCa }] });
    const { docker, replica } = await arrive(visit);
    visit.ucp.faults.add({ on: archive, fault: { kind: 'stall' } });
    const reading = buffer(await open(docker, replica));
    reading.catch(() => undefined);
    visit.stop.abort(new Error('terminated'));
    await expect(reading).rejects.toBe(visit.stop.signal.reason);
  });

  test('frees the connection when it is destroyed', async () => {
    await using visit = await visitUcp({ replicas: [{ id, ca: bigCa }] });
    const { docker, replica } = await arrive(visit);
    const tar = await open(docker, replica);
    await until('UCP is sending', () => visit.ucp.openConnections() === 1);
    tar.destroy();
    await until('UCP has no connection', () => visit.ucp.openConnections() === 0);
  });

  test('is opened again after a fault before its first byte', async () => {
    await using visit = await visitUcp({ replicas: [{ id, ca: { 'cert.pem': 'CA' } }] });
    const { docker, replica } = await arrive(visit);
    visit.ucp.faults.add({ on: archive, fault: { kind: 'status', status: 503 }, times: 1 });
    visit.ucp.faults.add({ on: archive, fault: { kind: 'reset' }, times: 1 });
    visit.ucp.accounts.expireTokens();
    expect(await filesIn(await openVolume(docker, replica, 'ca'))).toEqual({ 'ca/cert.pem': 'CA' });
  });
});
