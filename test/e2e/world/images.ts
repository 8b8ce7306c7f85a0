/** The images of the e2e world: the job's from our Dockerfile, the world's own, and the replica's database. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import tarFs from 'tar-fs';
import { docker, succeeds } from './docker.js';

export interface WorldImages {
  readonly job: string;
  readonly world: string;
  readonly replica: string;
  /** What the replica's database is, in words. */
  readonly database: string;
}

const officialReplica = 'rethinkdb:2.4';
const world = 'dtr-backup-test-world';

/** `root` is the project's directory. Makes what is missing and builds what is ours; says what it does. */
export async function makeImages(root: string): Promise<WorldImages> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const base = /^ARG BASE_IMAGE=(\S+)$/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8'))?.[1] ?? '';
  if (!(await isAtHand(base))) {
    console.log(`${base} is not to be had: making it`);
    run('bash', [join(root, 'scripts/base-image.sh'), base]);
  }
  const job = `dtr-backup:${version}`;
  console.log(`Building ${job}`);
  await docker(['build', '--network', 'host', '--build-arg', `VERSION=${version}`, '--tag', job, '.'], { cwd: root });
  const own = stageDatabase(join(root, 'build/rethinkdb'), join(root, 'test/e2e/world'));
  console.log(`Building ${world}`);
  await buildWorld(root);
  return { job, world, ...(await chooseReplica(own)) };
}

async function isAtHand(image: string): Promise<boolean> {
  return (await succeeds(['image', 'inspect', image])) || (await succeeds(['pull', '--quiet', image]));
}

/** `REPLICA_IMAGE`, else the official one, else the world's own image with the database that is at hand. */
async function chooseReplica(own: string): Promise<Pick<WorldImages, 'replica' | 'database'>> {
  const { REPLICA_IMAGE: chosen = '' } = process.env;
  if (chosen !== '') return { replica: chosen, database: `REPLICA_IMAGE ${chosen}` };
  if (await isAtHand(officialReplica)) return { replica: officialReplica, database: `image ${officialReplica}` };
  return { replica: world, database: `${own} (image ${officialReplica} is not to be had)` };
}

/** Puts the database's `start` and what it needs into `directory`, and gives what it is. */
function stageDatabase(directory: string, scripts: string): string {
  const { RETHINKDB_BIN: binary = '' } = process.env;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(directory, 'lib'), { recursive: true });
  const script = binary === '' ? 'embedded-rethinkdb.sh' : 'own-rethinkdb.sh';
  copyFileSync(join(scripts, script), join(directory, 'start'));
  if (binary === '') return 'the embedded replica (reqlite)';
  copyFileSync(binary, join(directory, 'rethinkdb'));
  const { stdout } = spawnSync('ldd', [binary], { encoding: 'utf8' });
  for (const [, path = ''] of stdout.matchAll(/(?:=>|^)\s+(\/\S+) \(0x/gm)) {
    copyFileSync(path, join(directory, 'lib', basename(path)));
  }
  return `RETHINKDB_BIN ${binary}`;
}

async function buildWorld(root: string): Promise<void> {
  const args = ['build', '--network', 'host', '--file', 'test/e2e/world/Dockerfile', '--tag', world, '-'];
  const build = spawn('docker', args, { stdio: ['pipe', 'ignore', 'inherit'] });
  const exited = once(build, 'close') as Promise<[number | null]>;
  const entries = ['package.json', 'jest.config.mjs', 'node_modules', 'dist', 'build', 'test/e2e/world'];
  await pipeline(tarFs.pack(root, { entries }) as unknown as NodeJS.ReadableStream, build.stdin);
  const [exitCode] = await exited;
  if (exitCode !== 0) throw new Error(`${world} could not be built`);
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${basename(args[0] ?? command)} ended with ${status ?? 'a signal'}`);
}
