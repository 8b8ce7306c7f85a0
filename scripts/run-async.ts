/** Runs a command without blocking this process, which serves what the command talks to. */
import { spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';

/**
 * Resolves with the exit code; null when a signal ended it. With `detached` it leads a group of its own, of which nothing is
 * left then.
 */
export async function runAsync(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<number | null> {
  const child = spawn(command, args, options);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  if (options.detached === true) killGroup(child.pid);
  return exitCode;
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}
