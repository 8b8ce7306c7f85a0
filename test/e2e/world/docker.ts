/** The docker client, for what is done to the world; the tests themselves type commands as operators do. */
import { spawnSync } from 'node:child_process';
import { Command } from '../../support/command.js';

/** Gives stdout without the newline at its end; throws, with the last lines of stderr, where the command fails. */
export async function docker(args: readonly string[], options: { readonly cwd?: string } = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await new Command(['docker', ...args], { ...options, env: process.env }).ended();
  if (exitCode === 0) return stdout.toString().trimEnd();
  const words = args.slice(0, 3).join(' ');
  throw new Error(
    `docker ${words} ended with ${exitCode ?? 'a signal'}: ${stderr.trim().split('\n').slice(-5).join('\n')}`,
  );
}

/** Whether the command succeeds. */
export async function succeeds(args: readonly string[]): Promise<boolean> {
  return docker(args).then(
    () => true,
    () => false,
  );
}

/** An engine in swarm mode; disposing ends that mode where it began here. */
export interface Engine extends AsyncDisposable {
  readonly version: string;
  /** The path of its socket, as containers mount it. */
  readonly socket: string;
}

/** Throws, in one line, where no engine answers. */
export async function findEngine(): Promise<Engine> {
  if (spawnSync('docker', ['--version']).error !== undefined) {
    throw new Error('no Docker here: the e2e tests need the docker client and an engine');
  }
  const info = await docker(['info', '--format', '{{.ServerVersion}} {{.Swarm.LocalNodeState}}']).catch(() => '');
  const [version = '', swarm] = info.split(' ');
  if (version === '') throw new Error('no Docker engine answers: start one, or name it in DOCKER_HOST');
  if (swarm === 'inactive') await docker(['swarm', 'init', '--advertise-addr', '127.0.0.1']);
  const { DOCKER_HOST = '' } = process.env;
  return {
    version,
    socket: DOCKER_HOST.startsWith('unix://') ? DOCKER_HOST.slice('unix://'.length) : '/var/run/docker.sock',
    async [Symbol.asyncDispose]() {
      if (swarm === 'inactive') await docker(['swarm', 'leave', '--force']);
    },
  };
}
