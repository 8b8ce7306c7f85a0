/** Joining the overlay network of a UCP stand-in with a container of our own, in a test's short limits. */
import { joinOverlayNetwork } from '#src/ucp/overlay-network.js';
import type { Visit } from './visit.js';

export const ownId = 'a1b2c3d4e5f6'.padEnd(64, '0');
export const shortId = ownId.slice(0, 12);
export const ownContainer = { id: ownId };
export const joining = /^POST \/networks\/dtr-ol\/connect$/;
export const leaving = /^POST \/networks\/dtr-ol\/disconnect$/;

export async function join(
  visit: Visit,
  changes: Partial<Parameters<typeof joinOverlayNetwork>[1]> = {},
): Promise<AsyncDisposable> {
  const docker = await visit.docker();
  const limits = { joinWindowMs: 5000, leaveWindowMs: 5000, answerWindowMs: 200 };
  return joinOverlayNetwork(
    docker,
    { containerId: shortId, network: 'dtr-ol', ...limits, ...changes },
    { log: visit.log, signal: visit.stop.signal },
  );
}

/** `joined`, `left`, in order, as it was carried out. */
export const changesIn = ({ ucp }: Visit): string[] => ucp.state.networkChanges.map(({ what }) => what);
export const isOn = ({ ucp }: Visit): boolean => ucp.ownContainer?.networks.has('dtr-ol') === true;
