/** The way to a replica, walked: a session with its RethinkDB, what it is, and its certificate files. */
import type { CertificateFile } from '../archive/writer.js';
import type { Access } from '../model/access.js';
import type { LeftOut } from '../model/manifest.js';
import type { ReplicaId } from '../model/replica-id.js';
import { readCurrentIssues, readServerVersion } from '../rethink/server-status.js';
import { RethinkSession, type RethinkdbOptions } from '../rethink/session.js';
import type { World } from './world.js';

/** A replica whose RethinkDB answers. Disposing leaves everything that was joined or opened on the way, in reverse. */
export interface Replica extends AsyncDisposable {
  readonly session: RethinkSession;
  readonly id: ReplicaId | undefined;
  readonly dtrVersion: string;
  readonly rethinkdbVersion: string | undefined;
  readonly certificates: readonly CertificateFile[];
  readonly leftOut: readonly LeftOut[];
}

/** Throws a JobError with exit code 3 to 7. */
export async function reachReplica(access: Access, _withCertificates: boolean, world: World): Promise<Replica> {
  return reachDirectly(access, world);
}

async function reachDirectly(access: Access, world: World): Promise<Replica> {
  const { address, dtrVersion } = access;
  if (address === undefined || dtrVersion === undefined)
    throw new TypeError('direct mode needs an address and a version');
  const options: RethinkdbOptions = { ...access, address, ...(access.plaintext ? { tls: undefined } : {}) } as never;
  const session = new RethinkSession(options, world);
  const rethinkdbVersion = await greet(session, world);
  return {
    session,
    id: access.replicaId,
    dtrVersion,
    rethinkdbVersion,
    certificates: [],
    leftOut: [{ what: 'certificates', why: 'direct mode does not reach the replica’s volumes' }],
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** Connects, and says what was found: the version, and whatever the cluster complains of. */
async function greet(session: RethinkSession, { log }: World): Promise<string | undefined> {
  log.info(`Connecting to ${session.name}`);
  const version = await readServerVersion(session);
  log.info(`Connected to RethinkDB${version === undefined ? '' : ` ${version}`}`);
  for (const issue of await readCurrentIssues(session)) log.warn(`RethinkDB reports an issue: ${issue}`);
  return version;
}
