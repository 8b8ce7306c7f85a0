// Joining the overlay network with our own container, and leaving it where that fails.
import { describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { joinOverlayNetwork } from '#src/ucp/overlay-network.js';
import { changesIn, isOn, join, joining, ownContainer, ownId, shortId } from '../../support/ucp/overlay.js';
import { until } from '../../support/until.js';
import { visitUcp } from '../../support/ucp/visit.js';

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

  test('fails with the reason of the engine where it forbids to join', async () => {
    await using visit = await visitUcp({ ownContainer });
    visit.ucp.state.unattachableNetworks.add('dtr-ol');
    const { message } = await visit.failureOf(join(visit), ExitCode.overlayNetwork);
    expect(message).toMatch(/^cannot join overlay network dtr-ol with container a1b2c3d4e5f6: UCP /);
    expect(message).toContain(' with 403: Could not attach to network dtr-ol: rpc error: ');
    expect(message).toContain('network dtr-ol not manually attachable; the network must be attachable and the user ');
    expect(changesIn(visit)).toEqual([]);
  });

  test.each(['NetworkSettings', 'Networks', 'endpoints'] as const)(
    'works where UCP does not show our %s',
    async (lacks) => {
      await using visit = await visitUcp({ ownContainer });
      if (visit.ucp.ownContainer !== undefined) visit.ucp.ownContainer.lacks = lacks;
      await (await join(visit))[Symbol.asyncDispose]();
      expect(changesIn(visit)).toEqual(['joined', 'left']);
    },
  );

  test('fails with 6 where the node of our own container is down', async () => {
    await using visit = await visitUcp({ ownContainer });
    visit.ucp.state.downNodes.add('worker-1');
    const docker = await visit.docker();
    const options = { containerId: ownId, network: 'dtr-ol', joinWindowMs: 1000 };
    const work = joinOverlayNetwork(docker, options, { log: visit.log, signal: visit.stop.signal });
    const { message } = await visit.failureOf(work, ExitCode.overlayNetwork);
    expect(message).toContain('Container a1b2c3d4e5f6 running on unhealthy node worker-1');
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

  test('waits after an abort for the engine, which joins later, and leaves then', async () => {
    await using visit = await visitUcp({ ownContainer });
    let joinNow = (): void => undefined;
    const joined = new Promise<void>((resolve) => (joinNow = resolve));
    visit.ucp.faults.add({ on: joining, fault: { kind: 'late', until: joined } });
    const work = join(visit, { answerWindowMs: 4000 });
    work.catch(() => undefined);
    await until('the call arrives', () => visit.ucp.calls.some(({ path }) => joining.test(`POST ${path}`)));
    visit.stop.abort(new Error('terminated'));
    await until('it waits', () => visit.log.lines.some((line) => line.includes('Waiting for the answer')));
    joinNow();
    await expect(work).rejects.toBe(visit.stop.signal.reason);
    expect(changesIn(visit)).toEqual(['joined', 'left']);
    expect(visit.log.lines.filter((line) => line.startsWith('INFO')).slice(-2)).toEqual([
      'INFO Waiting for the answer to joining dtr-ol, so as to leave it again',
      `INFO Left overlay network dtr-ol with container ${shortId}`,
    ]);
  });

  test('does not wait for ever for the answer, and warns that we may join yet', async () => {
    await using visit = await visitUcp({ ownContainer });
    visit.ucp.faults.add({ on: joining, fault: { kind: 'hang' } });
    const work = join(visit);
    work.catch(() => undefined);
    await until('the call arrives', () => visit.ucp.calls.some(({ path }) => joining.test(`POST ${path}`)));
    visit.stop.abort(new Error('terminated'));
    await expect(work).rejects.toBe(visit.stop.signal.reason);
    expect(visit.log.lines.at(-1)).toBe(
      `WARN No answer to joining overlay network dtr-ol with container ${shortId}: if it joins now, it leaves when the container ends, or by hand: docker network disconnect dtr-ol ${shortId}`,
    );
  });
});
