// Joining the overlay network with our own container, and leaving it whatever happened.
import { describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { joinOverlayNetwork } from '#src/ucp/overlay-network.js';
import { until } from '../../support/until.js';
import { visitUcp, type Visit } from '../../support/ucp/visit.js';

const ownId = 'a1b2c3d4e5f6'.padEnd(64, '0');
const shortId = ownId.slice(0, 12);
const ownContainer = { id: ownId };
const joining = /^POST \/networks\/dtr-ol\/connect$/;
const leaving = /^POST \/networks\/dtr-ol\/disconnect$/;

async function join(visit: Visit, changes: Partial<Parameters<typeof joinOverlayNetwork>[1]> = {}) {
  const docker = await visit.docker();
  return joinOverlayNetwork(
    docker,
    { containerId: shortId, network: 'dtr-ol', joinWindowMs: 5000, leaveWindowMs: 5000, ...changes },
    { log: visit.log, signal: visit.stop.signal },
  );
}

const changesIn = ({ ucp }: Visit): string[] => ucp.state.networkChanges.map(({ what }) => what);
const isOn = ({ ucp }: Visit): boolean => ucp.ownContainer?.networks.has('dtr-ol') === true;

describe('joining the overlay network', () => {
  test('joins, and leaves again, and says so with the ids', async () => {
    await using visit = await visitUcp({ ownContainer });
    const network = await join(visit);
    expect(isOn(visit)).toBe(true);
    await network[Symbol.asyncDispose]();
    expect(isOn(visit)).toBe(false);
    expect(visit.log.lines.filter((line) => line.includes('overlay network'))).toEqual([
      `INFO Joined overlay network dtr-ol with container ${shortId}`,
      `INFO Left overlay network dtr-ol with container ${shortId}`,
    ]);
    expect(visit.ucp.state.networkChanges).toEqual([
      { what: 'joined', network: 'dtr-ol', containerId: ownId },
      { what: 'left', network: 'dtr-ol', containerId: ownId },
    ]);
  });

  test('neither joins nor leaves where we are on it already', async () => {
    await using visit = await visitUcp({ ownContainer });
    visit.ucp.ownContainer?.networks.add('dtr-ol');
    await (await join(visit))[Symbol.asyncDispose]();
    expect(changesIn(visit)).toEqual([]);
    expect(isOn(visit)).toBe(true);
    expect(visit.log.lines).toContain(`INFO Already on overlay network dtr-ol with container ${shortId}`);
  });

  test('waits until UCP knows our container', async () => {
    await using visit = await visitUcp({ ownContainer: { id: ownId, unknownFor: 3 } });
    await (await join(visit))[Symbol.asyncDispose]();
    expect(changesIn(visit)).toEqual(['joined', 'left']);
  });

  test('fails where UCP never learns of our container, and says what to do', async () => {
    await using visit = await visitUcp({ ownContainer: { id: ownId, unknownFor: Infinity } });
    const { message } = await visit.failureOf(join(visit, { joinWindowMs: 600 }), ExitCode.overlayNetwork);
    expect(message).toContain(`UCP does not know our own container ${shortId}`);
    for (const way of ['client bundle', '--network dtr-ol', '--rethinkdb-addr']) expect(message).toContain(way);
  });

  test('ends the wait for our container with the reason of an abort', async () => {
    await using visit = await visitUcp({ ownContainer: { id: ownId, unknownFor: Infinity } });
    const work = join(visit);
    work.catch(() => undefined);
    await until('the first question', () => visit.ucp.calls.some(({ path }) => path.includes(shortId)));
    visit.stop.abort(new Error('terminated'));
    await expect(work).rejects.toBe(visit.stop.signal.reason);
  });

  test('fails where we run in no container', async () => {
    await using visit = await visitUcp();
    const { message } = await visit.failureOf(join(visit, { containerId: undefined }), ExitCode.overlayNetwork);
    expect(message).toContain('does not run in a container');
    expect(message).toContain('--rethinkdb-addr');
  });

  test('fails where the network is missing', async () => {
    await using visit = await visitUcp({ ownContainer });
    visit.ucp.state.networks.delete('dtr-ol');
    const { message } = await visit.failureOf(join(visit), ExitCode.overlayNetwork);
    expect(message).toContain('UCP knows no network dtr-ol');
  });

  test('fails where several have its name, and joins none', async () => {
    await using visit = await visitUcp({ ownContainer });
    visit.ucp.state.namesakeNetworks.push({ name: 'dtr-ol', id: 'e'.repeat(64) });
    const { message } = await visit.failureOf(join(visit), ExitCode.overlayNetwork);
    expect(message).toMatch(
      /^UCP knows several networks dtr-ol \([0-9a-f]{12}, eeeeeeeeeeee\), and which is DTR's is not known/,
    );
    expect(changesIn(visit)).toEqual([]);
  });

  test('joins beside a node’s own network of the same name, which lists carry with the node', async () => {
    await using visit = await visitUcp({ ownContainer });
    visit.ucp.state.namesakeNetworks.push({ name: 'worker-1/dtr-ol', id: 'e'.repeat(64) });
    await (await join(visit))[Symbol.asyncDispose]();
    expect(changesIn(visit)).toEqual(['joined', 'left']);
  });

  test('fails where UCP shows another container for our id: one may be called like the beginning of it', async () => {
    await using visit = await visitUcp({ ownContainer });
    const docker = await visit.docker();
    const other = { id: 'e'.repeat(64), name: `/worker-2/${shortId}`, environment: [], mounts: [], networks: [] };
    docker.inspectContainer = () => Promise.resolve(other);
    const joining = joinOverlayNetwork(
      docker,
      { containerId: shortId, network: 'dtr-ol' },
      { log: visit.log, signal: visit.stop.signal },
    );
    const { message } = await visit.failureOf(joining, ExitCode.overlayNetwork);
    expect(message).toContain(`UCP shows another container for our id ${shortId}: /worker-2/${shortId}`);
    expect(changesIn(visit)).toEqual([]);
  });

  test('fails where Docker cannot join it', async () => {
    await using visit = await visitUcp({ ownContainer });
    const message = 'Could not attach to network dtr-ol: not manually attachable';
    visit.ucp.faults.add({ on: joining, fault: { kind: 'status', status: 500, message } });
    const failure = await visit.failureOf(join(visit), ExitCode.overlayNetwork);
    expect(failure.message).toContain(message);
    expect(visit.log.lines.some((line) => line.startsWith('INFO Left'))).toBe(false);
  });

  test('fails as a refusal where the user may not join it', async () => {
    await using visit = await visitUcp({ ownContainer });
    visit.ucp.faults.add({ on: joining, fault: { kind: 'status', status: 403, message: 'access denied' } });
    await visit.failureOf(join(visit), ExitCode.ucpRefused);
  });

  test('joins once where the answer to joining is lost', async () => {
    await using visit = await visitUcp({ ownContainer });
    visit.ucp.faults.add({ on: joining, fault: { kind: 'lost-answer' }, times: 1 });
    const network = await join(visit);
    expect(changesIn(visit)).toEqual(['joined']);
    await network[Symbol.asyncDispose]();
    expect(isOn(visit)).toBe(false);
    expect(visit.ucp.calls.filter(({ path }) => path.endsWith('/connect'))).toHaveLength(1);
  });

  test('tries again where UCP is busy', async () => {
    await using visit = await visitUcp({ ownContainer });
    visit.ucp.faults.add({ on: joining, fault: { kind: 'status', status: 503 }, times: 2 });
    const network = await join(visit);
    expect(changesIn(visit)).toEqual(['joined']);
    await network[Symbol.asyncDispose]();
    expect(isOn(visit)).toBe(false);
  });

  test('leaves nothing joined when an abort comes before the answer', async () => {
    await using visit = await visitUcp({ ownContainer });
    visit.ucp.faults.add({ on: joining, fault: { kind: 'stall' } });
    const work = join(visit);
    work.catch(() => undefined);
    await until('we are on the network', () => isOn(visit));
    visit.stop.abort(new Error('interrupted'));
    await expect(work).rejects.toBe(visit.stop.signal.reason);
    expect(changesIn(visit)).toEqual(['joined', 'left']);
  });
});

describe('leaving the overlay network', () => {
  test('works after the signal has aborted, with an expired token, through faults', async () => {
    await using visit = await visitUcp({ ownContainer });
    const network = await join(visit);
    visit.stop.abort(new Error('terminated'));
    visit.ucp.accounts.expireTokens();
    visit.ucp.faults.add({ on: leaving, fault: { kind: 'reset' }, times: 1 });
    visit.ucp.faults.add({ on: leaving, fault: { kind: 'lost-answer' }, times: 1 });
    await network[Symbol.asyncDispose]();
    expect(changesIn(visit)).toEqual(['joined', 'left']);
    expect(visit.log.lines.at(-1)).toBe(`INFO Left overlay network dtr-ol with container ${shortId}`);
  });

  test.each(['hang', 'reset'] as const)('warns, and does not throw, when it fails in its time: %s', async (kind) => {
    await using visit = await visitUcp({ ownContainer });
    const network = await join(visit, { leaveWindowMs: 500 });
    visit.ucp.faults.add({ on: leaving, fault: { kind } });
    await network[Symbol.asyncDispose]();
    const last = visit.log.lines.filter((line) => line.startsWith('WARN')).at(-1);
    expect(last).toContain('Could not leave overlay network dtr-ol');
    expect(last).toContain(`docker network disconnect dtr-ol ${shortId}`);
    expect(visit.ucp.accounts.secrets.some((secret) => visit.log.lines.join().includes(secret))).toBe(false);
  });

  test('is content when our container has gone', async () => {
    await using visit = await visitUcp({ ownContainer });
    const network = await join(visit);
    visit.ucp.state.containers.pop();
    await network[Symbol.asyncDispose]();
    expect(visit.log.lines.some((line) => line.startsWith('WARN'))).toBe(false);
  });
});
