// Leaving the overlay network, whatever happened before.
import { describe, expect, test } from '@jest/globals';
import { changesIn, join, leaving, ownContainer, shortId } from '../../support/ucp/overlay.js';
import { visitUcp } from '../../support/ucp/visit.js';

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

  test('asks again where UCP does not know our container for once', async () => {
    await using visit = await visitUcp({ ownContainer });
    const network = await join(visit);
    if (visit.ucp.ownContainer !== undefined) visit.ucp.ownContainer.unknownFor = 1;
    await network[Symbol.asyncDispose]();
    expect(changesIn(visit)).toEqual(['joined', 'left']);
    expect(visit.log.lines.at(-1)).toBe(`INFO Left overlay network dtr-ol with container ${shortId}`);
  });

  test('asks again where the call that leaves is answered with 404', async () => {
    await using visit = await visitUcp({ ownContainer });
    const network = await join(visit);
    visit.ucp.faults.add({
      on: leaving,
      fault: { kind: 'status', status: 404, message: 'No such container' },
      times: 1,
    });
    await network[Symbol.asyncDispose]();
    expect(changesIn(visit)).toEqual(['joined', 'left']);
  });

  test('is content when our container has gone, and says so', async () => {
    await using visit = await visitUcp({ ownContainer });
    const network = await join(visit);
    visit.ucp.state.containers.pop();
    await network[Symbol.asyncDispose]();
    expect(visit.log.lines.some((line) => line.startsWith('WARN'))).toBe(false);
    expect(visit.log.lines.at(-1)).toBe(
      `INFO UCP no longer knows container ${shortId}, so overlay network dtr-ol is left with it`,
    );
  });
});
