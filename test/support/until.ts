/** Waiting for a condition instead of sleeping. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves once `condition` holds; rejects, naming it, when it has not within `deadlineMs`. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await sleep(10);
  }
}
