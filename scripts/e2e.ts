/**
 * `npm run test:e2e`: makes the images, starts the world of docker-compose.test.yml on the Docker engine that is there,
 * runs the tests of test/e2e in it, and takes it down. With `--images` it only makes the images.
 */
import { fileURLToPath } from 'node:url';
import { findEngine } from '../test/e2e/world/docker.js';
import { makeImages } from '../test/e2e/world/images.js';
import { startWorld } from '../test/e2e/world/world.js';
import { runAsync } from './run-async.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const args = process.argv.slice(2);

async function run(): Promise<number> {
  await using engine = await findEngine();
  console.log(`Docker engine ${engine.version}`);
  const images = await makeImages(root);
  console.log(`The replica's database: ${images.database}`);
  if (args[0] === '--images') return 0;
  await using world = await startWorld(root, engine, images);
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  const config = ['--config', 'jest.e2e.config.mjs', '--runInBand', ...args];
  // The reaper of testcontainers is an image of its own, which cannot be had everywhere; what is started here is stopped here.
  const env = {
    ...process.env,
    E2E_WORLD: JSON.stringify(world),
    TESTCONTAINERS_RYUK_DISABLED: 'true',
    E2E_ENGINE: engine.version,
  };
  return (await runAsync(process.execPath, [...jest, ...config], { cwd: root, env, stdio: 'inherit' })) ?? 1;
}

try {
  process.exitCode = await run();
} catch (error) {
  console.error(`test:e2e: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
