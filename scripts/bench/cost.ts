/** What backups cost the users of a replica: the load's latency alone, beside backups, and beside gentle ones. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { measureLatency, seedLoad, type Latency } from './latency.js';

export interface NamedLatency extends Latency {
  readonly name: string;
}

export async function measureLatencies(
  server: { readonly host: string; readonly port: number },
  backupArgs: readonly string[],
  seconds: number,
): Promise<NamedLatency[]> {
  await seedLoad(server);
  const cases = {
    'with no backup': undefined,
    'beside a backup': backupArgs,
    'beside a backup with --rate-limit 10MB/s': [...backupArgs, '--rate-limit', '10MB/s'],
  };
  const latencies: NamedLatency[] = [];
  for (const [name, args] of Object.entries(cases)) {
    const backups = args && keepRunning(args);
    latencies.push({ name, ...(await measureLatency(server, seconds)) });
    await backups?.stop();
  }
  return latencies;
}

/** One backup after the other, thrown away, until stopped. */
function keepRunning(args: readonly string[]): { stop(): Promise<void> } {
  const over = new AbortController();
  let child: ReturnType<typeof spawn> | undefined;
  const running = (async () => {
    while (!over.signal.aborted) {
      child = spawn(process.execPath, args, { env: { PATH: process.env.PATH }, stdio: 'ignore' });
      await once(child, 'close');
    }
  })();
  return {
    async stop() {
      over.abort();
      child?.kill('SIGTERM');
      await running;
    },
  };
}
