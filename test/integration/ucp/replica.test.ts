// Finding a replica and its version through UCP.
import { describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import type { ReplicaId } from '#src/model/replica-access.js';
import { dtrRoles, findReplica } from '#src/ucp/replica-containers.js';
import { detectDtrVersion } from '#src/ucp/replica-version.js';
import { addContainer } from '../../support/ucp/cluster.js';
import type { VersionSign } from '../../support/ucp/dtr-replica.js';
import { visitUcp } from '../../support/ucp/visit.js';

const first = '0123456789ab' as ReplicaId;
const second = 'ba9876543210' as ReplicaId;

describe('finding a replica', () => {
  test('gives the only one of the cluster, with its containers', async () => {
    await using visit = await visitUcp({ replicas: [{ id: first, node: 'dtr-node-1.example.com' }] });
    const replica = await findReplica(await visit.docker(), undefined);
    expect(replica.id).toBe(first);
    expect(replica.containers.map(({ role }) => role)).toEqual([
      'api',
      'garant',
      'jobrunner',
      'nginx',
      'notary-server',
      'notary-signer',
      'registry',
      'rethinkdb',
      'scanningstore',
    ]);
    expect(replica.rethinkdb).toMatchObject({
      name: `dtr-rethinkdb-${first}`,
      node: 'dtr-node-1.example.com',
      state: 'running',
      image: 'docker/dtr-rethink:2.9.4',
    });
  });

  test('takes names without a node', async () => {
    await using visit = await visitUcp({ replicas: [{ id: first }] });
    visit.ucp.state.namesCarryNodes = false;
    const { rethinkdb } = await findReplica(await visit.docker(), first);
    expect(rethinkdb).toMatchObject({ name: `dtr-rethinkdb-${first}`, node: undefined });
  });

  test('gives the one asked for among several', async () => {
    await using visit = await visitUcp({ replicas: [{ id: first }, { id: second, node: 'dtr-node-2' }] });
    const replica = await findReplica(await visit.docker(), second);
    expect(replica.id).toBe(second);
    expect(replica.containers.every(({ node }) => node === 'dtr-node-2')).toBe(true);
  });

  test('fails where there are several and none was asked for', async () => {
    await using visit = await visitUcp({ replicas: [{ id: second }, { id: first }] });
    const { message } = await visit.failureOf(findReplica(await visit.docker(), undefined), ExitCode.replica);
    expect(message).toBe(`several DTR replicas found (${first}, ${second}): choose one with --existing-replica-id`);
  });

  test('fails where the one asked for is not there, and names those that are', async () => {
    await using visit = await visitUcp({ replicas: [{ id: first }] });
    const { message } = await visit.failureOf(findReplica(await visit.docker(), second), ExitCode.replica);
    expect(message).toMatch(`DTR replica ${second} not found: UCP shows ${first}; `);
  });

  test.each([undefined, first])('fails where there is none at all, asked for: %p', async (id) => {
    await using visit = await visitUcp({ replicas: [] });
    addContainer(visit.ucp.state, { name: `my-dtr-rethinkdb-${first}` });
    addContainer(visit.ucp.state, { name: `dtr-nginx-${second}` });
    const { message } = await visit.failureOf(findReplica(await visit.docker(), id), ExitCode.replica);
    expect(message).toMatch(/^no DTR replica found: |^DTR replica 0123456789ab not found: UCP shows none at all; /);
  });

  test.each(['exited', 'paused', 'restarting', 'dead'])('fails where its RethinkDB is %s', async (state) => {
    await using visit = await visitUcp({ replicas: [{ id: first, rethinkdbState: state }] });
    const { message } = await visit.failureOf(findReplica(await visit.docker(), undefined), ExitCode.replica);
    expect(message).toContain(`dtr-rethinkdb-${first} on node dtr-node-1 is ${state} (Exited (137) 2 hours ago)`);
    expect(message).toContain(`registry running, rethinkdb ${state}`);
  });
});

describe('a replica whose own containers cannot be told', () => {
  const node = 'dtr-node-1';
  const advice = 'it is not clear which are its own; remove or rename what does not belong to it';
  const ambiguity = async (...others: readonly Parameters<typeof addContainer>[1][]): Promise<string> => {
    await using visit = await visitUcp({ replicas: [{ id: first, node }] });
    // Whichever comes first in UCP's list.
    for (const [index, other] of others.entries()) {
      addContainer(visit.ucp.state, other);
      if (index === 0) visit.ucp.state.containers.reverse();
    }
    return (await visit.failureOf(findReplica(await visit.docker(), first), ExitCode.replica)).message;
  };

  test.each([...dtrRoles])('fails where there are two of role %s, and lists them', async (role) => {
    const name = `dtr-${role}-${first}`;
    for (const state of ['running', 'paused']) {
      const message = await ambiguity({ name, node: 'node-2', state });
      expect(message).toContain(`DTR replica ${first} has several containers of one name: `);
      expect(message).toMatch(new RegExp(`${name} on node dtr-node-1 \\([0-9a-f]{12}, running\\)`));
      expect(message).toMatch(new RegExp(`${name} on node node-2 \\([0-9a-f]{12}, ${state}\\)`));
      expect(message).toContain(advice);
    }
  });

  test('fails where one container stands on another node than the rest', async () => {
    await using visit = await visitUcp({ replicas: [{ id: first, node }] });
    const { containers } = visit.ucp.state;
    const name = `dtr-registry-${first}`;
    containers.splice(
      containers.findIndex((one) => one.name === name),
      1,
    );
    addContainer(visit.ucp.state, { name, node: 'node-2' });
    const { message } = await visit.failureOf(findReplica(await visit.docker(), first), ExitCode.replica);
    expect(message).toContain(
      `DTR replica ${first} has containers on several nodes: dtr-api-${first} on node dtr-node-1`,
    );
    expect(message).toContain(`dtr-registry-${first} on node node-2`);
  });

  test('is as well one of two that a container has a second name of', async () => {
    await using visit = await visitUcp({ replicas: [{ id: first, node }] });
    const docker = await visit.docker();
    const listed = await docker.listContainers();
    const aliased = listed.map((one) =>
      one.names.includes(`/${node}/dtr-api-${first}`)
        ? { ...one, names: [...one.names, `/${node}/dtr-registry-${first}`] }
        : one,
    );
    const lying = { listContainers: () => Promise.resolve(aliased) } as unknown as typeof docker;
    await visit.failureOf(findReplica(lying, first), ExitCode.replica);
  });

  test('is not one beside another replica that is in disorder, nor beside containers of other roles', async () => {
    await using visit = await visitUcp({
      replicas: [
        { id: first, node },
        { id: second, node: 'node-2' },
      ],
    });
    addContainer(visit.ucp.state, { name: `dtr-registry-${second}`, node: 'node-3' });
    addContainer(visit.ucp.state, { name: `dtr-backup-${first}`, node: 'node-3' });
    addContainer(visit.ucp.state, { name: `dtr-backup-${first}`, node: 'node-4' });
    const replica = await findReplica(await visit.docker(), first);
    expect(replica.containers.map(({ role }) => role)).toEqual(dtrRoles);
    expect(replica.unknown.map(({ role, node: on }) => [role, on])).toEqual([
      ['backup', 'node-3'],
      ['backup', 'node-4'],
    ]);
  });

  test('is not one with legacy links, which are names of the container that they lead to', async () => {
    await using visit = await visitUcp({ replicas: [{ id: first }] });
    visit.ucp.state.namesCarryNodes = false;
    const docker = await visit.docker();
    const listed = await docker.listContainers();
    const linked = listed.map(({ names, ...rest }) => {
      const links = names.includes(`/dtr-api-${first}`) ? [`/dtr-nginx-${first}/dtr-api-${first}`] : [];
      return { ...rest, names: [...links, ...names, ...links] };
    });
    expect(linked.filter(({ names }) => names.length === 3)).toHaveLength(1);
    const linking = { listContainers: () => Promise.resolve(linked) } as unknown as typeof docker;
    const { containers } = await findReplica(linking, first);
    expect(containers.map(({ role, node: on }) => [role, on])).toEqual(dtrRoles.map((role) => [role, undefined]));
  });
});

describe('the version of a replica', () => {
  test.each<VersionSign>(['label', 'compose-label', 'environment', 'image'])('is told from its %s', async (sign) => {
    await using visit = await visitUcp({ replicas: [{ id: first, version: '2.5.3', versionSigns: [sign] }] });
    const docker = await visit.docker();
    expect(await detectDtrVersion(docker, await findReplica(docker, first))).toBe('2.5.3');
  });

  test('is told from the image in a registry of one’s own', async () => {
    const imagePrefix = 'registry.example.com:5000/msr/';
    await using visit = await visitUcp({ replicas: [{ id: first, imagePrefix, versionSigns: ['image'] }] });
    const docker = await visit.docker();
    expect(await detectDtrVersion(docker, await findReplica(docker, first))).toBe('2.9.4');
  });

  test('is unknown where nothing shows it', async () => {
    const imagePrefix = 'registry.example.com:5000/msr/';
    await using visit = await visitUcp({ replicas: [{ id: first, imagePrefix, versionSigns: ['none'] }] });
    const docker = await visit.docker();
    expect(await detectDtrVersion(docker, await findReplica(docker, first))).toBeUndefined();
  });

  test('is the one of RethinkDB’s container after half an upgrade', async () => {
    await using visit = await visitUcp({ replicas: [{ id: first, version: '2.8.1' }] });
    for (const container of visit.ucp.state.containers) {
      if (container.name.startsWith('dtr-rethinkdb')) container.labels['com.docker.dtr.version'] = '2.9.4';
    }
    const docker = await visit.docker();
    expect(await detectDtrVersion(docker, await findReplica(docker, first))).toBe('2.9.4');
  });

  test('is not told by a container whose role is not DTR’s', async () => {
    await using visit = await visitUcp({ replicas: [{ id: first, version: '2.8.1', versionSigns: ['image'] }] });
    for (const node of ['dtr-node-1', 'node-2']) {
      const added = addContainer(visit.ucp.state, { name: `dtr-backup-${first}`, node });
      added.labels['com.docker.dtr.version'] = '2.9.4';
    }
    const docker = await visit.docker();
    expect(await detectDtrVersion(docker, await findReplica(docker, first))).toBe('2.8.1');
  });

  test('is not guessed where RethinkDB’s container shows none and the others several', async () => {
    await using visit = await visitUcp({ replicas: [{ id: first, versionSigns: ['none'] }] });
    for (const { name, labels } of visit.ucp.state.containers) {
      if (name.startsWith('dtr-api')) labels['com.docker.dtr.version'] = '2.8.1';
      if (name.startsWith('dtr-nginx')) labels['com.docker.dtr.version'] = '2.9.4';
    }
    const docker = await visit.docker();
    const replica = await findReplica(docker, first);
    const { message } = await visit.failureOf(detectDtrVersion(docker, replica), ExitCode.replica);
    expect(message).toBe(`the containers of replica ${first} show several versions (2.8.1, 2.9.4): give --dtr-version`);
  });
});
