/** The e2e world, started from docker-compose.test.yml and waited for, and what tests need to know of it. */
import { DockerComposeEnvironment, Wait } from 'testcontainers';
import { spawnSync } from 'node:child_process';
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
  const gateway = await findGateway();
  return {
    image: images.job,
    replicaId,
    ucp: `${gateway}:${environment.getContainer('dtr-test-ucp').getMappedPort(443)}`,
    ucpPassword,
    database: images.database,
    async [Symbol.asyncDispose]() {
      await environment.down({ removeVolumes: true });
    },
  };
}

/** The machine, as containers on the default network see it. */
async function findGateway(): Promise<string> {
  const format = '{{with index .IPAM.Config 0}}{{.Gateway}} {{.Subnet}}{{end}}';
  const [gateway = '', subnet = ''] = (await docker(['network', 'inspect', 'bridge', '--format', format])).split(' ');
  // Engines leave it out after some restarts; it is the first address then.
  return gateway === '' ? subnet.replace(/\.\d+\/\d+$/, '.1') : gateway;
}
