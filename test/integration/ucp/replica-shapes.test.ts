// Replicas as a UCP in use shows them: nodes that are down, leftovers of replaced nodes, answers of old engines.
import { describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import type { ReplicaId } from '#src/model/replica-access.js';
import { findRegistryStorage } from '#src/ucp/registry-storage.js';
import { dtrRoles, findReplica } from '#src/ucp/replica-containers.js';
import { detectDtrVersion } from '#src/ucp/replica-version.js';
import { openVolume } from '#src/ucp/replica-volume.js';
import { addContainer, type ClusterContainer } from '../../support/ucp/cluster.js';
import { visitUcp, type Visit } from '../../support/ucp/visit.js';

const id = '0123456789ab' as ReplicaId;
const node = 'dtr-node-1';
const own = ({ ucp }: Visit, role: string): ClusterContainer => {
  const found = ucp.state.containers.find((one) => one.name === `dtr-${role}-${id}` && one.node === node);
  if (found === undefined) throw new Error(`no container ${role}`);
  return found;
};

describe('a node that UCP does not reach', () => {
  test('ends with 5 and its name where the list says Host Down, though its containers are listed as running', async () => {
    await using visit = await visitUcp({ replicas: [{ id, node }] });
    visit.ucp.state.downNodes.add(node);
    const docker = await visit.docker();
    expect((await docker.listContainers()).map(({ state }) => state)).toEqual(Array(9).fill('host down'));
    const { message } = await visit.failureOf(findReplica(docker, id), ExitCode.replica);
    expect(message).toBe(
      `UCP does not reach node ${node} of DTR replica ${id} (Host Down): bring the node back, or choose another replica with --existing-replica-id`,
    );
  });

  test('is no matter where only another replica is on it', async () => {
    const second = 'ba9876543210' as ReplicaId;
    await using visit = await visitUcp({
      replicas: [
        { id, node },
        { id: second, node: 'node-2' },
      ],
    });
    visit.ucp.state.downNodes.add('node-2');
    const docker = await visit.docker();
    expect((await findReplica(docker, id)).rethinkdb.node).toBe(node);
    await visit.failureOf(findReplica(docker, second), ExitCode.replica);
  });

  const calls: [string, (visit: Visit) => Promise<unknown>][] = [];
  const call = (name: string, make: (...args: Parameters<typeof detectDtrVersion>) => Promise<unknown>): void => {
    calls.push([
      name,
      async (visit) => {
        const docker = await visit.docker();
        const replica = await findReplica(docker, id);
        visit.ucp.state.downNodes.add(node);
        return make(docker, replica);
      },
    ]);
  };
  call('the version is looked for', (docker, replica) => detectDtrVersion(docker, replica));
  call('a volume is looked for', (docker, replica) => openVolume(docker, replica, 'ca'));
  call('the images are looked for', (docker, replica) => findRegistryStorage(docker, replica, 'docker'));
  test.each(calls)('ends with 5 and its name where it went down before %s', async (_what, work) => {
    await using visit = await visitUcp({ replicas: [{ id, node, versionSigns: ['environment'] }] });
    const { message } = await visit.failureOf(work(visit), ExitCode.replica);
    expect(message).toMatch(new RegExp(`^the engine of node ${node} cannot answer for dtr-[a-z]+-${id}: UCP `));
    expect(message).toMatch(/ with 500: Container [0-9a-f]{12} running on unhealthy node dtr-node-1$/);
  });

  test('that ends while a volume is read is 5 as well', async () => {
    await using visit = await visitUcp({ replicas: [{ id, node }] });
    const docker = await visit.docker();
    const replica = await findReplica(docker, id);
    const message = 'engine is down';
    visit.ucp.faults.add({ on: /\/archive/, fault: { kind: 'status', status: 500, message } });
    const failure = await visit.failureOf(openVolume(docker, replica, 'ca'), ExitCode.replica);
    expect(failure.message).toContain(`the engine of node ${node} cannot answer for dtr-rethinkdb-${id}`);
  });
});

describe('a leftover of the same id on another node', () => {
  test.each([...dtrRoles].flatMap((role) => ['exited', 'created', 'dead'].map((state) => [role, state] as const)))(
    'does not hide the replica that runs: %s, %s',
    async (role, state) => {
      await using visit = await visitUcp({ replicas: [{ id, node }] });
      const leftover = addContainer(visit.ucp.state, { name: `dtr-${role}-${id}`, node: 'node-2', state });
      visit.ucp.state.containers.reverse();
      const replica = await findReplica(await visit.docker(), id);
      expect(replica.rethinkdb.id).toBe(own(visit, 'rethinkdb').id);
      expect(replica.containers.map((one) => [one.role, one.node])).toEqual(dtrRoles.map((one) => [one, node]));
      expect(replica.leftovers.map((one) => one.id)).toEqual([leftover.id]);
    },
  );

  test('is not used, also where the replica has no container of that role', async () => {
    await using visit = await visitUcp({ replicas: [{ id, node }] });
    const { containers } = visit.ucp.state;
    containers.splice(containers.indexOf(own(visit, 'registry')), 1);
    addContainer(visit.ucp.state, { name: `dtr-registry-${id}`, node: 'node-2', state: 'exited' });
    const docker = await visit.docker();
    const replica = await findReplica(docker, id);
    const work = findRegistryStorage(docker, replica, 'docker');
    expect((await visit.failureOf(work, ExitCode.replica)).message).toBe(`UCP shows no container dtr-registry-${id}`);
  });

  test('is named where the replica does not run either', async () => {
    await using visit = await visitUcp({ replicas: [{ id, node, rethinkdbState: 'exited' }] });
    addContainer(visit.ucp.state, { name: `dtr-rethinkdb-${id}`, node: 'node-2', state: 'created', status: 'Created' });
    const { message } = await visit.failureOf(findReplica(await visit.docker(), id), ExitCode.replica);
    expect(message).toContain(`dtr-rethinkdb-${id} on node ${node} is exited (Exited (137) 2 hours ago)`);
    expect(message).toContain(`dtr-rethinkdb-${id} on node node-2 is created (Created)`);
  });

  test.each(['running', 'paused', 'restarting'])(
    'is none where it is %s: which one is the replica is unknown',
    async (state) => {
      await using visit = await visitUcp({ replicas: [{ id, node }] });
      addContainer(visit.ucp.state, { name: `dtr-rethinkdb-${id}`, node: 'node-2', state });
      const { message } = await visit.failureOf(findReplica(await visit.docker(), id), ExitCode.replica);
      expect(message).toContain('has several containers of one name');
    },
  );

  test('is none where its node is down: it may run', async () => {
    await using visit = await visitUcp({ replicas: [{ id, node }] });
    addContainer(visit.ucp.state, { name: `dtr-rethinkdb-${id}`, node: 'node-2' });
    visit.ucp.state.downNodes.add('node-2');
    const { message } = await visit.failureOf(findReplica(await visit.docker(), id), ExitCode.replica);
    expect(message).toMatch(/on node node-2 \([0-9a-f]{12}, host down\)/);
  });
});

describe('what an engine leaves out', () => {
  test('of a foreign container is no matter', async () => {
    await using visit = await visitUcp({ replicas: [{ id, node }] });
    addContainer(visit.ucp.state, { name: 'foreign', lacks: 'State' });
    expect((await findReplica(await visit.docker(), id)).containers).toHaveLength(9);
  });

  test.each([
    ['Up 3 days', 'running'],
    ['Up 3 days (Paused)', 'paused'],
    ['Exited (137) 2 hours ago', 'exited'],
    ['Restarting (1) 5 seconds ago', 'restarting'],
    ['Created', 'created'],
    ['', 'unknown'],
  ])('is told from its status: %j is %s', async (status, state) => {
    await using visit = await visitUcp({ replicas: [] });
    addContainer(visit.ucp.state, { name: 'old', lacks: 'State', status });
    expect((await (await visit.docker()).listContainers()).map((one) => one.state)).toEqual([state]);
  });

  test.each(['NetworkSettings', 'Networks', 'endpoints'] as const)('of %s does not hide the version', async (lacks) => {
    await using visit = await visitUcp({ replicas: [{ id, node, versionSigns: ['environment'] }] });
    own(visit, 'registry').lacks = lacks;
    const docker = await visit.docker();
    expect(await detectDtrVersion(docker, await findReplica(docker, id))).toBe('2.9.4');
  });
});

test('a replica that is not among those shown comes with the hint that a non-admin sees only a part', async () => {
  const hint = 'is this the right UCP, and is the user an administrator?';
  for (const replicas of [[], [{ id }]]) {
    await using visit = await visitUcp({ replicas });
    const docker = await visit.docker();
    const { message } = await visit.failureOf(findReplica(docker, 'ba9876543210' as ReplicaId), ExitCode.replica);
    expect(message).toContain(`not found: UCP shows ${replicas.length === 0 ? 'none at all' : id}; ${hint}`);
    if (replicas.length > 0) continue;
    expect((await visit.failureOf(findReplica(docker, undefined), ExitCode.replica)).message).toContain(hint);
  }
});
