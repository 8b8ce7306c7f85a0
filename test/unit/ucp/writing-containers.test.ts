import { describe, expect, test } from '@jest/globals';
import type { ReplicaContainer } from '#src/ucp/replica-containers.js';
import { findWritingContainers, startCommand } from '#src/ucp/writing-containers.js';

const container = (role: string, state = 'running'): ReplicaContainer => ({
  ...{ id: role, role, name: `dtr-${role}-0123456789ab`, node: 'n1', state, status: '', image: '', labels: {} },
});
const roles = (containers: readonly ReplicaContainer[]): string[] => containers.map(({ role }) => role);

describe('the containers of a replica that write', () => {
  test('are all but RethinkDB, nginx first, whatever order they are listed in', () => {
    const listed = ['api', 'garant', 'jobrunner', 'nginx', 'notary-server', 'notary-signer', 'registry', 'rethinkdb'];
    const containers = [...listed, 'scanningstore'].map((role) => container(role));
    const found = findWritingContainers({ containers, unknown: [] });
    const order = [
      'nginx',
      'jobrunner',
      'registry',
      'notary-server',
      'notary-signer',
      'api',
      'garant',
      'scanningstore',
    ];
    expect(roles(found.active)).toEqual(order);
    expect(findWritingContainers({ containers: containers.toReversed(), unknown: [] }).active).toEqual(found.active);
    expect([found.inactive, found.unknown]).toEqual([[], []]);
  });

  test('are left alone where they do not run, but not where they keep restarting', () => {
    const states = { nginx: 'exited', registry: 'restarting', api: 'paused', garant: 'created', jobrunner: 'dead' };
    const found = findWritingContainers({
      containers: Object.entries(states).map(([role, state]) => container(role, state)),
      unknown: [],
    });
    expect(roles(found.active)).toEqual(['registry']);
    expect(roles(found.inactive)).toEqual(['nginx', 'jobrunner', 'api', 'garant']);
  });

  test('are not those of a role nobody knows, which may be this very job', () => {
    const unknown = [container('backup'), container('old', 'exited')];
    const found = findWritingContainers({ containers: [], unknown });
    expect(roles(found.unknown)).toEqual(['backup']);
    expect(found.active).toEqual([]);
  });
});

test('the command by hand starts in reverse', () => {
  const command = 'docker start dtr-api-0123456789ab dtr-nginx-0123456789ab';
  expect(startCommand([container('nginx'), container('api')])).toBe(command);
});
