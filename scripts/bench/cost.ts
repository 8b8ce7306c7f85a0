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
  const cases = { 'with no backup': undefined, 'beside a backup': backupArgs };
  const latencies: NamedLatency[] = [];
  for (const [name, args] of Object.entries(cases)) {
    await using backups = args === undefined ? undefined : keepRunning(args);
    latencies.push({ name, ...(await measureLatency(server, seconds)) });
    void backups;
  }
  return latencies;
}

/** One backup after the other, thrown away, until disposed of. */
function keepRunning(args: readonly string[]): AsyncDisposable {
  let isOver = false;
  let child: ReturnType<typeof spawn> | undefined;
  const running = (async () => {
    while (!isOver) {
      child = spawn(process.execPath, args, { env: { PATH: process.env.PATH }, stdio: 'ignore' });
      await once(child, 'close');
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      child?.kill('SIGTERM');
      await running;
    },
  };
}
