/** One run of a program, measured: wall time, CPU time, peak memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

export interface Measured {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
}

/** Told by the program itself at its end: nobody else knows its peak then. File descriptor 3 is ours. */
const teller = `
import { readFileSync, writeSync } from 'node:fs';
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  const [, peak = 0] = /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  writeSync(3, JSON.stringify({ cpuMs: (user + system) / 1000, peakBytes: peak * 1024 }));
});`;
const tellerUrl = `data:text/javascript,${encodeURIComponent(teller)}`;

/** Runs a Node program, its stdout thrown away by the system; its output on stderr is shown only when it fails. */
export async function measureNode(args: readonly string[], nodeOptions: readonly string[] = []): Promise<Measured> {
  const startMs = performance.now();
  const nowhere = openSync('/dev/null', 'w');
  const child = spawn(process.execPath, [...nodeOptions, `--import=${tellerUrl}`, ...args], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', nowhere, 'pipe', 'pipe'],
  });
  closeSync(nowhere);
  let stderr = '';
  let told = '';
  child.stderr?.on('data', (text: Buffer) => (stderr += text.toString()));
  child.stdio[3]?.on('data', (text: Buffer) => (told += text.toString()));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  const wallMs = performance.now() - startMs;
  if (exitCode !== 0) throw new Error(`${args.join(' ')} ended with ${String(exitCode)}:\n${stderr}`);
  return { wallMs, ...(JSON.parse(told) as { cpuMs: number; peakBytes: number }) };
}

/** Runs any other program; CPU and memory are looked up while it runs, and miss its last moment. */
export async function measureForeign(command: string, args: readonly string[]): Promise<Measured> {
  const startMs = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  let cpuMs = 0;
  let peakBytes = 0;
  const looking = setInterval(() => {
    try {
      const [, , ...fields] = readFileSync(`/proc/${child.pid ?? 0}/stat`, 'utf8').split(/\) | /);
      cpuMs = Math.max(cpuMs, (Number(fields[11]) + Number(fields[12])) * 10);
      const status = readFileSync(`/proc/${child.pid ?? 0}/status`, 'utf8');
      peakBytes = Math.max(peakBytes, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024);
    } catch {
      // It has just ended.
    }
  }, 20);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  clearInterval(looking);
  if (exitCode !== 0) throw new Error(`${command} ended with ${String(exitCode)}`);
  return { wallMs: performance.now() - startMs, cpuMs, peakBytes };
}

/** Milliseconds from the start of a Node program to its first byte on stdout; it is stopped then. */
export async function firstByteMs(args: readonly string[]): Promise<number> {
  const startMs = performance.now();
  const child = spawn(process.execPath, args, { env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  const elapsedMs = performance.now() - startMs;
  child.kill('SIGKILL');
  await once(child, 'close');
  return elapsedMs;
}

/** Of each measure by itself. */
export function medianOf(runs: readonly Measured[]): Measured {
  const middle = (key: keyof Measured): number => {
    const sorted = runs.map((run) => run[key]).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  return { wallMs: middle('wallMs'), cpuMs: middle('cpuMs'), peakBytes: middle('peakBytes') };
}
