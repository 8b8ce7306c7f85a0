// How long UCP is waited for while a replica's containers stop and start, and what is said of it.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { findReplica } from '#src/ucp/replica-containers.js';
import { whileStopped } from '#src/ucp/while-stopped.js';
import { findWritingContainers } from '#src/ucp/writing-containers.js';
import { StandInReplica } from '../../support/ucp/stopping.js';
import { visitUcp, type Visit } from '../../support/ucp/visit.js';

const id = '0123456789ab';

/** Stops and starts nginx alone. */
async function restartNginx(visit: Visit, timeoutMs = 5000): Promise<void> {
  const docker = await visit.docker({ timeoutMs });
  const { active } = findWritingContainers(await findReplica(docker, undefined));
  const containers = active.filter(({ role }) => role === 'nginx');
  const options = { containers, stopWindowMs: 5000, startWindowMs: 10_000, work: () => Promise.resolve() };
  await whileStopped(docker, options, { log: visit.log, signal: visit.stop.signal });
}

const warnings = ({ log }: Visit): string[] => log.lines.filter((line) => line.startsWith('WARN'));

test('the answer to a stop may take longer than the limit of other calls: Docker gives a container 20 s', async () => {
  await using visit = await visitUcp();
  const stop = new StandInReplica(visit.ucp, id).on('nginx', 'stop');
  visit.ucp.faults.add({ on: stop, fault: { kind: 'late', until: sleep(1500) }, times: 1 });
  await restartNginx(visit, 1000);
  expect(new StandInReplica(visit.ucp, id).changes).toEqual(['stopped nginx', 'started nginx']);
  expect(new StandInReplica(visit.ucp, id).ordersTo('nginx')).toEqual(['stop', 'start']);
  expect(warnings(visit)).toContainEqual(expect.stringMatching(/^WARN Stopping 1 container; if this job/));
  expect(visit.log.lines).toContain('INFO Starting 1 container again');
});

test('a start waits as long as Retry-After says, and names one container as one', async () => {
  await using visit = await visitUcp();
  const start = new StandInReplica(visit.ucp, id).on('nginx', 'start');
  visit.ucp.faults.add({ on: start, fault: { kind: 'status', status: 429, retryAfter: '1' }, times: 1 });
  const startMs = performance.now();
  await restartNginx(visit);
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(950);
  expect(warnings(visit).at(-1)).toMatch(
    /^WARN 1 container does not run yet: dtr-nginx-\S+: UCP .* with 429: .*; trying again$/,
  );
  expect(visit.ucp.calls.filter(({ path }) => path.endsWith('/start'))).toHaveLength(2);
  expect(visit.ucp.calls.map(({ path }) => path).join()).toContain(/[0-9a-f]{64}/.exec(start.source)?.[0]);
  expect(visit.log.lines.join()).not.toMatch(/[0-9a-f]{64}/);
});
