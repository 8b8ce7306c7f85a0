/** The process that reads a mounted storage for a run of the program, found among its children. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Program } from './program.js';

/** The processes of this kind that the process has started. */
export function readersOf(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return children.filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('mounted-process'));
}

/** Makes it stand still, as a disk does that does not answer; gives its process id. */
export function stopReader({ child }: Program): number {
  const [pid] = readersOf(child.pid ?? 0);
  if (pid === undefined) throw new Error('no process reads the storage');
  process.kill(pid, 'SIGSTOP');
  return pid;
}

/** Its state as /proc says it, or `gone`. */
export function stateOf(pid: number): string {
  try {
    return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'gone';
  }
}
