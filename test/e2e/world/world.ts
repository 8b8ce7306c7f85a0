/** The e2e world, started from docker-compose.test.yml and waited for, and what tests need to know of it. */
import { spawnSync } from 'node:child_process';
import { DockerComposeEnvironment, Wait } from 'testcontainers';
import { retry } from '#src/base/retry.js';
import { docker, type Engine } from './docker.js';
import type { WorldImages } from './images.js';

export interface World {
  /** The job's image. */
  readonly image: string;
  readonly replicaId: string;
  /** HOST:PORT, from any container. */
  readonly ucp: string;
  readonly ucpPassword: string;
  readonly database: string;
}

/** Resolves when the replica is filled and UCP answers. Disposing removes everything, volumes too. */
export async function startWorld(root: string, engine: Engine, images: WorldImages): Promise<World & AsyncDisposable> {
  const replicaId = '0a1b2c3d4e5f';
  // The documented command does not quote it, so it holds no blank.
  const ucpPassword = 'correct-horse-battery-staple';
  const isPlugin = spawnSync('docker', ['compose', 'version']).status === 0;
  const environment = await new DockerComposeEnvironment(root, 'docker-compose.test.yml')
    .withProjectName('dtr-backup-test')
    .withAutoCleanup(false)
    .withClientOptions(isPlugin ? {} : { executable: { standalone: true, executablePath: 'docker-compose' } })
    .withEnvironment({
      DTR_REPLICA_ID: replicaId,
      UCP_PASSWORD: ucpPassword,
      DOCKER_SOCKET: engine.socket,
      WORLD_IMAGE: images.world,
      REPLICA_IMAGE: images.replica,
    })
    .withDefaultWaitStrategy(Wait.forListeningPorts())
    .withWaitStrategy('dtr-test-ucp', Wait.forHealthCheck())
    .up();
  const gateway = await findGateway(images.world);
  return {
    image: images.job,
    replicaId,
    ucp: `${gateway}:${environment.getContainer('dtr-test-ucp').getMappedPort(443)}`,
    ucpPassword,
    database: images.database,
    async [Symbol.asyncDispose]() {
      // Swarm lets go of the network a moment after its last task has gone.
      await retry(() => environment.down({ removeVolumes: true }), {
        deadlineMs: 60_000,
        signal: new AbortController().signal,
        isTransient: (error) => String(error).includes('in use by task'),
      });
    },
  };
}

/** This machine as a container on the default network sees it. An engine that has just made its bridge does not tell. */
async function findGateway(image: string): Promise<string> {
  const routes = await docker(['run', '--rm', image, 'cat', '/proc/net/route']);
  const hex = /^\S+\t00000000\t([0-9A-F]{8})\t/m.exec(routes)?.[1];
  if (hex === undefined) throw new Error('a container on the default network has no default route');
  return [...Buffer.from(hex, 'hex')].reverse().join('.');
}
