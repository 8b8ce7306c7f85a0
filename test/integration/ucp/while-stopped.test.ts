// Stopping a replica's containers for some work, and starting them again whatever happened.
import { describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { findReplica } from '#src/ucp/replica-containers.js';
import { whileStopped, type StopOptions } from '#src/ucp/while-stopped.js';
import { findWritingContainers } from '#src/ucp/writing-containers.js';
import { StandInReplica, startCommand, started, stopped, writingRoles } from '../../support/ucp/stopping.js';
import { until } from '../../support/until.js';
import { visitUcp, type Visit } from '../../support/ucp/visit.js';

const id = '0123456789ab';
const replicaOf = ({ ucp }: Visit): StandInReplica => new StandInReplica(ucp, id);

type Work = (startAgain: () => void) => Promise<void>;
const noWork: Work = () => Promise.resolve();

type RunOptions = Partial<StopOptions> & { readonly roles?: readonly string[] };

async function run(visit: Visit, work: Work, { roles = writingRoles, ...changes }: RunOptions = {}): Promise<void> {
  const docker = await visit.docker();
  const { active } = findWritingContainers(await findReplica(docker, undefined));
  const containers = active.filter(({ role }) => roles.includes(role));
  const options = { containers, stopWindowMs: 5000, startWindowMs: 10_000, ...changes };
  return whileStopped(docker, { ...options, work }, { log: visit.log, signal: visit.stop.signal });
}

describe('work while containers are stopped', () => {
  test('is done when all have stopped, and RethinkDB runs on; they start in reverse', async () => {
    await using visit = await visitUcp();
    const replica = replicaOf(visit);
    await run(visit, () => {
      expect(replica.changes).toEqual(stopped);
      expect([replica.down.length, replica.container('rethinkdb').state]).toEqual([8, 'running']);
      return Promise.resolve();
    });
    expect(replica.changes).toEqual([...stopped, ...started]);
    expect(replica.down).toEqual([]);
  });

  test('comes after the command that would start them by hand', async () => {
    await using visit = await visitUcp();
    await run(visit, noWork);
    const lines = visit.log.lines;
    const told = lines.findIndex((line) => line.startsWith('WARN') && line.endsWith(`: ${startCommand(id)}`));
    const acted = lines.findIndex((line) => /POST \S+\/stop/.test(line));
    expect([told >= 0, told < acted]).toEqual([true, true]);
  });

  test('leaves alone what did not run before', async () => {
    await using visit = await visitUcp();
    const replica = replicaOf(visit);
    for (const role of ['jobrunner', 'scanningstore'] as const) replica.container(role).state = 'exited';
    await run(visit, noWork);
    expect(replica.changes.filter((change) => /jobrunner|scanningstore/.test(change))).toEqual([]);
    expect(replica.down).toEqual(['jobrunner', 'scanningstore']);
    expect(visit.log.lines.join()).not.toMatch(/docker start .*(?:jobrunner|scanningstore)/);
  });

  test('with nothing to stop asks UCP for nothing', async () => {
    await using visit = await visitUcp();
    await run(visit, noWork, { containers: [] });
    expect(visit.ucp.calls.filter(({ method, path }) => method === 'POST' && path !== '/auth/login')).toEqual([]);
  });

  test('may begin the start itself, which is done once', async () => {
    await using visit = await visitUcp();
    const replica = replicaOf(visit);
    await run(visit, async (startAgain) => {
      startAgain();
      await until('all run', () => replica.down.length === 0);
      startAgain();
    });
    expect(replica.changes).toEqual([...stopped, ...started]);
  });

  test('takes one that kept restarting for as good as before', async () => {
    await using visit = await visitUcp();
    const replica = replicaOf(visit);
    replica.container('garant').state = 'restarting';
    await run(visit, () => {
      expect(replica.container('garant').state).toBe('exited');
      return Promise.resolve();
    });
    expect(replica.down).toEqual([]);
  });
});

describe('a failure', () => {
  test('of the work is thrown when all run again', async () => {
    await using visit = await visitUcp();
    const failure = new Error('the database went away');
    await expect(run(visit, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(replicaOf(visit).changes).toEqual([...stopped, ...started]);
  });

  test('to stop one ends with 5, and starts that one, too', async () => {
    await using visit = await visitUcp();
    const replica = replicaOf(visit);
    const fault = { kind: 'status', status: 500, message: 'did not receive an exit event' } as const;
    visit.ucp.faults.add({ on: replica.on('registry', 'stop'), fault, times: 1 });
    const { message } = await visit.failureOf(run(visit, noWork), ExitCode.replica);
    expect(message).toMatch(/^cannot stop dtr-registry-0123456789ab: .*did not receive an exit event/);
    expect(replica.changes).toEqual([
      ...stopped.slice(0, 2),
      ...started.slice(-2),
      stopped[2],
      ...started.slice(-3, -2),
    ]);
    expect(replica.down).toEqual([]);
  });

  test('that passes, or a lost answer, is no failure', async () => {
    await using visit = await visitUcp();
    const replica = replicaOf(visit);
    const { faults } = visit.ucp;
    faults.add({ on: replica.on('nginx', 'stop'), fault: { kind: 'status', status: 503 }, times: 2 });
    faults.add({ on: replica.on('api', 'stop'), fault: { kind: 'lost-answer' }, times: 1 });
    faults.add({ on: replica.on('garant', 'start'), fault: { kind: 'lost-answer' }, times: 1 });
    faults.add({ on: replica.on('api', 'start'), fault: { kind: 'status', status: 500 }, times: 2 });
    await run(visit, noWork);
    expect(replica.changes.slice(0, stopped.length)).toEqual(stopped);
    expect(replica.changes.slice(stopped.length).sort()).toEqual(started.toSorted());
    expect(replica.down).toEqual([]);
  });

  test('to reach UCP while stopping ends with 4, and all run again', async () => {
    await using visit = await visitUcp();
    const replica = replicaOf(visit);
    visit.ucp.faults.add({ on: replica.on('registry', 'stop'), fault: { kind: 'reset' } });
    const work = visit.failureOf(run(visit, noWork, { stopWindowMs: 300 }), ExitCode.ucpUnreachable);
    await until('the start begins', () => visit.log.lines.some((line) => line.startsWith('INFO Starting')));
    visit.ucp.faults.clear();
    await work;
    expect(replica.down).toEqual([]);
  });
});

describe('an abort', () => {
  const reason = new Error('terminated');

  test('while a container stops: it is asked to stop again, to wait for it, and only then to start', async () => {
    await using visit = await visitUcp();
    const replica = replicaOf(visit);
    visit.ucp.faults.add({ on: replica.on('registry', 'stop'), fault: { kind: 'hang' }, times: 1 });
    const work = run(visit, noWork);
    work.catch(() => undefined);
    await until('it stops', () => replica.ordersTo('registry').length > 0);
    visit.stop.abort(reason);
    await expect(work).rejects.toBe(reason);
    expect(replica.ordersTo('registry')).toEqual(['stop', 'stop', 'start']);
    // Whoever sent the signal may kill the job soon: those that have stopped do not wait for the one that is stopping.
    expect(replica.changes).toEqual([
      ...stopped.slice(0, 2),
      ...started.slice(-2),
      stopped[2],
      ...started.slice(-3, -2),
    ]);
    expect(replica.down).toEqual([]);
    expect(visit.log.lines).toContain('INFO Starting 3 containers again; a second signal would leave them stopped');
  });

  test('before the first stops leaves all running', async () => {
    await using visit = await visitUcp();
    const docker = await visit.docker();
    const containers = findWritingContainers(await findReplica(docker, undefined)).active;
    visit.stop.abort(reason);
    const options = { containers, stopWindowMs: 5000, startWindowMs: 10_000 };
    const work = whileStopped(docker, { ...options, work: noWork }, { log: visit.log, signal: visit.stop.signal });
    await expect(work).rejects.toBe(reason);
    expect(replicaOf(visit).changes).toEqual([]);
  });

  test('during the work, with an expired token', async () => {
    await using visit = await visitUcp();
    const work = run(visit, () => {
      visit.ucp.accounts.expireTokens();
      visit.stop.abort(reason);
      return Promise.reject(reason);
    });
    await expect(work).rejects.toBe(reason);
    expect(replicaOf(visit).changes).toEqual([...stopped, ...started]);
  });

  test('during the start does not end it', async () => {
    await using visit = await visitUcp();
    const replica = replicaOf(visit);
    visit.ucp.faults.add({ on: /\/start$/, fault: { kind: 'status', status: 500 } });
    const work = run(visit, noWork);
    await until('the start is tried', () => replica.ordersTo('nginx').includes('start'));
    visit.stop.abort(reason);
    visit.ucp.faults.clear();
    await work;
    expect(replica.down).toEqual([]);
  });
});

describe('a start', () => {
  test('is tried again while UCP is lost', async () => {
    await using visit = await visitUcp();
    await run(visit, () => {
      visit.ucp.faults.add({ on: /./, fault: { kind: 'reset' }, times: 4 });
      return Promise.resolve();
    });
    expect(replicaOf(visit).down).toEqual([]);
    expect(visit.log.lines.filter((line) => line.startsWith('WARN 8 containers do not run yet: UCP')).length).toBe(4);
  });

  test('of a container that ends at once or is gone ends with 12 and the command for those; the others run', async () => {
    await using visit = await visitUcp();
    const replica = replicaOf(visit);
    const { containers } = visit.ucp.state;
    const api = replica.container('api');
    replica.container('registry').endsAtStart = true;
    const work: Work = () => Promise.resolve(void containers.splice(containers.indexOf(api), 1));
    const running = run(visit, work, { startWindowMs: 2000, roles: ['nginx', 'registry', 'api'] });
    const { message } = await visit.failureOf(running, ExitCode.replicaDown);
    const [first, second] = message.split(', dtr-registry-');
    expect(first).toMatch(/^the backup is good, but not .* after 2 s: dtr-api-\S+ \(.*No such container.*\)$/);
    expect(second).toMatch(/\(started, but it is exited\); start by hand: docker start dtr-api-\S+ dtr-registry-\S+$/);
    expect(replica.container('nginx').state).toBe('running');
  });

  test.each(['hang', 'reset'] as const)(
    'that UCP never answers (%s) ends with 12 and the whole command',
    async (kind) => {
      await using visit = await visitUcp();
      const work: Work = () => {
        visit.ucp.faults.add({ on: /\/start$/, fault: { kind } });
        return Promise.resolve();
      };
      const { message } = await visit.failureOf(run(visit, work, { startWindowMs: 300 }), ExitCode.replicaDown);
      expect(message).toContain(`; start by hand: ${startCommand(id)}`);
    },
  );

  test('that fails after the work has failed is an error in the log, and the failure stays what it was', async () => {
    await using visit = await visitUcp();
    replicaOf(visit).container('nginx').endsAtStart = true;
    const failure = new Error('the disk is full');
    await expect(
      run(visit, () => Promise.reject(failure), { startWindowMs: 2000, roles: ['nginx', 'jobrunner'] }),
    ).rejects.toBe(failure);
    const errors = visit.log.lines.filter((line) => line.startsWith('ERRO'));
    expect(errors).toEqual([
      expect.stringMatching(/^ERRO not every container runs.*docker start dtr-nginx-0123456789ab$/),
    ]);
  });
});
