/** What the runner (scripts/e2e.ts) says of the world to the tests, and the documented command in it. */
import { Command } from '../support/command.js';
import type { World } from './world/world.js';

const { E2E_WORLD } = process.env;
if (E2E_WORLD === undefined) throw new Error('the e2e tests need their world: npm run test:e2e');
export const world = JSON.parse(E2E_WORLD) as World;

/** The options of the documented command that follow `--rm`, up to the image. */
export const dockerRun = 'docker run --log-driver none -i --rm --env UCP_PASSWORD=$UCP_PASSWORD';

/** The documented flags. */
export const documented = `--ucp-url ${world.ucp} --ucp-insecure-tls --ucp-username admin --existing-replica-id ${world.replicaId}`;

/** A command line as an operator types it, in bash; UCP_PASSWORD is set there. */
export function shell(line: string, env: Readonly<Record<string, string>> = {}): Command {
  const environment = { ...process.env, UCP_PASSWORD: world.ucpPassword, ...env };
  return new Command(['bash', '-c', line], { env: environment });
}

/** What a command line prints, without the newline at its end; throws when it fails. */
export async function output(line: string): Promise<string> {
  const { exitCode, stdout, stderr } = await shell(line).ended();
  if (exitCode !== 0) throw new Error(`${line} ended with ${exitCode ?? 'a signal'}: ${stderr}`);
  return stdout.toString().trimEnd();
}
