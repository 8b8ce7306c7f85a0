// Stopping a replica's containers for some work, and starting them again whatever happened.
import { describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { findReplica } from '#src/ucp/replica.js';
import { whileStopped, type StopOptions } from '#src/ucp/while-stopped.js';
import { findWritingContainers } from '#src/ucp/writing-containers.js';
import type { ClusterContainer } from '../../support/ucp/cluster.js';
import { until } from '../../support/until.js';
import { visitUcp, type Visit } from '../../support/ucp/visit.js';

const id = '0123456789ab';
const order = ['nginx', 'jobrunner', 'registry', 'notary-server', 'notary-signer', 'api', 'garant', 'scanningstore'];
const command = `docker start ${order
  .toReversed()
  .map((role) => `dtr-${role}-${id}`)
  .join(' ')}`;

type Work = (startAgain: () => void) => Promise<void>;

async function run(visit: Visit, work: Work, changes: Partial<StopOptions> = {}): Promise<void> {
  const docker = await visit.docker();
  const containers = findWritingContainers(await findReplica(docker, undefined)).active;
  const options = { containers, stopWindowMs: 5000, startWindowMs: 10_000, ...changes };
  return whileStopped(docker, options, work, { log: visit.log, signal: visit.stop.signal });
}

function containerOf({ ucp }: Visit, role: string): ClusterContainer {
  const found = ucp.state.containers.find(({ name }) => name === `dtr-${role}-${id}`);
  if (found === undefined) throw new Error(`no container ${role}`);
  return found;
}

/** `stopped nginx`, …, in the order it was carried out. */
const changes = ({ ucp }: Visit): string[] =>
  ucp.state.containerChanges.map(({ what, container }) => `${what} ${container.slice('dtr-'.length, -id.length - 1)}`);
const stopped = order.map((role) => `stopped ${role}`);
const started = order.toReversed().map((role) => `started ${role}`);

const running = ({ ucp }: Visit): number => ucp.state.containers.filter(({ state }) => state === 'running').length;
const all = 9;

const on = (visit: Visit, role: string, what: 'stop' | 'start'): RegExp =>
  new RegExp(`^POST /containers/${containerOf(visit, role).id}/${what}\\b`);
const ordersTo = (visit: Visit, role: string): string[] =>
  visit.ucp.calls.flatMap(
    ({ path }) => new RegExp(`${containerOf(visit, role).id}/(stop|start)`).exec(path)?.[1] ?? [],
  );

const noWork: Work = () => Promise.resolve();

describe('work while containers are stopped', () => {
  test('is done when all have stopped, and RethinkDB runs on; they start in reverse', async () => {
    await using visit = await visitUcp();
    await run(visit, () => {
      expect(changes(visit)).toEqual(stopped);
      expect([running(visit), containerOf(visit, 'rethinkdb').state]).toEqual([1, 'running']);
      return Promise.resolve();
    });
    expect(changes(visit)).toEqual([...stopped, ...started]);
    expect(running(visit)).toBe(all);
  });

  test('comes after the command that would start them by hand', async () => {
    await using visit = await visitUcp();
    await run(visit, noWork);
    const lines = visit.log.lines;
    const told = lines.findIndex((line) => line.startsWith('WARN') && line.endsWith(`: ${command}`));
    const acted = lines.findIndex((line) => /POST \S+\/stop/.test(line));
    expect([told >= 0, told < acted]).toEqual([true, true]);
  });

  test('leaves alone what did not run before', async () => {
    await using visit = await visitUcp();
    for (const role of ['jobrunner', 'scanningstore']) containerOf(visit, role).state = 'exited';
    await run(visit, noWork);
    expect(changes(visit).filter((change) => /jobrunner|scanningstore/.test(change))).toEqual([]);
    expect(running(visit)).toBe(all - 2);
    expect(visit.log.lines.join()).not.toMatch(/docker start .*(?:jobrunner|scanningstore)/);
  });

  test('with nothing to stop asks UCP for nothing', async () => {
    await using visit = await visitUcp();
    await run(visit, noWork, { containers: [] });
    expect(visit.ucp.calls.filter(({ method, path }) => method === 'POST' && path !== '/auth/login')).toEqual([]);
  });

  test('may begin the start itself, which is done once', async () => {
    await using visit = await visitUcp();
    await run(visit, async (startAgain) => {
      startAgain();
      await until('all run', () => running(visit) === all);
      startAgain();
    });
    expect(changes(visit)).toEqual([...stopped, ...started]);
  });

  test('takes one that kept restarting for as good as before', async () => {
    await using visit = await visitUcp();
    containerOf(visit, 'garant').state = 'restarting';
    await run(visit, () => {
      expect(containerOf(visit, 'garant').state).toBe('exited');
      return Promise.resolve();
    });
    expect(running(visit)).toBe(all);
  });
});

describe('a failure', () => {
  test('of the work is thrown when all run again', async () => {
    await using visit = await visitUcp();
    const failure = new Error('the database went away');
    await expect(run(visit, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(changes(visit)).toEqual([...stopped, ...started]);
    expect(running(visit)).toBe(all);
  });

  test('to stop one ends with 5, and starts what was stopped and that one', async () => {
    await using visit = await visitUcp();
    const fault = {
      kind: 'status',
      status: 500,
      message: 'tried to kill container, but did not receive an exit',
    } as const;
    visit.ucp.faults.add({ on: on(visit, 'registry', 'stop'), fault, times: 1 });
    const { message } = await visit.failureOf(run(visit, noWork), ExitCode.replica);
    expect(message).toMatch(/^cannot stop dtr-registry-0123456789ab: .*did not receive an exit/);
    expect(changes(visit)).toEqual([...stopped.slice(0, 2), 'stopped registry', ...started.slice(-3)]);
    expect(running(visit)).toBe(all);
  });

  test('that passes, or a lost answer, is no failure', async () => {
    await using visit = await visitUcp();
    visit.ucp.faults.add({ on: on(visit, 'nginx', 'stop'), fault: { kind: 'status', status: 503 }, times: 2 });
    visit.ucp.faults.add({ on: on(visit, 'api', 'stop'), fault: { kind: 'lost-answer' }, times: 1 });
    visit.ucp.faults.add({ on: on(visit, 'garant', 'start'), fault: { kind: 'lost-answer' }, times: 1 });
    visit.ucp.faults.add({ on: on(visit, 'api', 'start'), fault: { kind: 'status', status: 500 }, times: 2 });
    await run(visit, noWork);
    expect(changes(visit).slice(0, order.length)).toEqual(stopped);
    expect(changes(visit).slice(order.length).sort()).toEqual(started.toSorted());
    expect(running(visit)).toBe(all);
  });

  test('to reach UCP while stopping ends with 4, and all run again', async () => {
    await using visit = await visitUcp();
    visit.ucp.faults.add({ on: on(visit, 'registry', 'stop'), fault: { kind: 'reset' }, times: 3 });
    await visit.failureOf(run(visit, noWork, { stopWindowMs: 500 }), ExitCode.ucpUnreachable);
    expect(running(visit)).toBe(all);
  });
});

describe('an abort', () => {
  test('while a container stops: it is asked to stop again, to wait for it, and only then to start', async () => {
    await using visit = await visitUcp();
    visit.ucp.faults.add({ on: on(visit, 'registry', 'stop'), fault: { kind: 'hang' }, times: 1 });
    const work = run(visit, noWork);
    work.catch(() => undefined);
    await until('it stops', () => ordersTo(visit, 'registry').length > 0);
    visit.stop.abort(new Error('terminated'));
    await expect(work).rejects.toBe(visit.stop.signal.reason);
    expect(ordersTo(visit, 'registry')).toEqual(['stop', 'stop', 'start']);
    expect(running(visit)).toBe(all);
    expect(visit.log.lines).toContain('INFO Starting 3 containers again; a second signal would leave them stopped');
  });

  test('before the first stops leaves all running', async () => {
    await using visit = await visitUcp();
    const docker = await visit.docker();
    const containers = findWritingContainers(await findReplica(docker, undefined)).active;
    visit.stop.abort(new Error('terminated'));
    const options = { containers, stopWindowMs: 5000, startWindowMs: 10_000 };
    const work = whileStopped(docker, options, noWork, { log: visit.log, signal: visit.stop.signal });
    await expect(work).rejects.toBe(visit.stop.signal.reason);
    expect(changes(visit)).toEqual([]);
  });

  test('during the work, with an expired token', async () => {
    await using visit = await visitUcp();
    const reason = new Error('terminated');
    const work = run(visit, () => {
      visit.ucp.accounts.expireTokens();
      visit.stop.abort(reason);
      return Promise.reject(reason);
    });
    await expect(work).rejects.toBe(reason);
    expect(changes(visit)).toEqual([...stopped, ...started]);
  });

  test('during the start does not end it', async () => {
    await using visit = await visitUcp();
    visit.ucp.faults.add({ on: /\/start$/, fault: { kind: 'status', status: 500 } });
    const work = run(visit, noWork);
    await until('the start is tried', () => ordersTo(visit, 'nginx').includes('start'));
    visit.stop.abort(new Error('terminated'));
    visit.ucp.faults.clear();
    await work;
    expect(running(visit)).toBe(all);
  });
});

describe('a start', () => {
  test('is tried again while UCP is lost', async () => {
    await using visit = await visitUcp();
    await run(visit, () => {
      visit.ucp.faults.add({ on: /./, fault: { kind: 'reset' }, times: 4 });
      return Promise.resolve();
    });
    expect(running(visit)).toBe(all);
    expect(visit.log.lines.filter((line) => line.startsWith('WARN 8 containers do not run yet: UCP')).length).toBe(4);
  });

  test('that does not hold ends with 12 and the command for that container alone; the others run', async () => {
    await using visit = await visitUcp();
    containerOf(visit, 'registry').endsAtStart = true;
    const { message } = await visit.failureOf(run(visit, noWork, { startWindowMs: 5000 }), ExitCode.replicaDown);
    const what = 'not every container runs again after 5 s: dtr-registry-0123456789ab (started, but it is exited)';
    expect(message).toBe(`the backup is good, but ${what}; start by hand: docker start dtr-registry-0123456789ab`);
    expect(running(visit)).toBe(all - 1);
  });

  test.each(['hang', 'reset'] as const)(
    'that UCP never answers (%s) ends with 12 and the whole command',
    async (kind) => {
      await using visit = await visitUcp();
      const work: Work = () => {
        visit.ucp.faults.add({ on: /\/start$/, fault: { kind } });
        return Promise.resolve();
      };
      const { message } = await visit.failureOf(run(visit, work, { startWindowMs: 1500 }), ExitCode.replicaDown);
      expect(message).toContain(`; start by hand: ${command}`);
    },
  );

  test('that fails after the work has failed is an error in the log, and the failure stays what it was', async () => {
    await using visit = await visitUcp();
    containerOf(visit, 'nginx').endsAtStart = true;
    const failure = new Error('the disk is full');
    await expect(run(visit, () => Promise.reject(failure), { startWindowMs: 1500 })).rejects.toBe(failure);
    const errors = visit.log.lines.filter((line) => line.startsWith('ERRO'));
    expect(errors).toEqual([
      expect.stringMatching(/^ERRO not every container runs.*docker start dtr-nginx-0123456789ab$/),
    ]);
  });

  test('of a container that is gone says so', async () => {
    await using visit = await visitUcp();
    const work: Work = () => {
      visit.ucp.state.containers.splice(visit.ucp.state.containers.indexOf(containerOf(visit, 'api')), 1);
      return Promise.resolve();
    };
    const { message } = await visit.failureOf(run(visit, work, { startWindowMs: 1500 }), ExitCode.replicaDown);
    expect(message).toMatch(
      /dtr-api-0123456789ab \(.*No such container.*\); start by hand: docker start dtr-api-0123456789ab$/,
    );
  });
});
