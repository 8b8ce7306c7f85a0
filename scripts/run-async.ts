/** Runs a command without blocking this process, which serves what the command talks to. */
import { spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';

/** Resolves with the exit code; null when a signal ended it. */
export async function runAsync(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<number | null> {
  const child = spawn(command, args, options);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return exitCode;
}
