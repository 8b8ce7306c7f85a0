/**
 * A process that writes or reads one archive: for what must be killed, whose memory counts, and for errors of connections,
 * which the SDK does not know as errors in Jest's context (`instanceof Error`). Says on stdout, as JSON lines, how it ends.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { JobError } from '#src/base/errors.js';
import type { S3Settings } from '#src/store/s3/s3-store.js';
import { openTestStore } from './s3-under-test.js';

export interface ChildCall {
  readonly endpoint: string;
  readonly action: 'write' | 'read';
  /** Of what is written. */
  readonly sizeBytes?: number;
  /** In place of the test's. */
  readonly settings?: Partial<S3Settings>;
  readonly withoutKeys?: boolean;
}

export interface ChildEnd {
  readonly message: string;
  /** 0 where all went well. */
  readonly exitCode: number;
  readonly bytes: number;
  /** Peak resident set. */
  readonly memoryBytes: number;
}

export const childScript = fileURLToPath(import.meta.url);

/** Runs it to its end; stderr is part of the message where it printed any. */
export function runChild(call: ChildCall): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [childScript, JSON.stringify(call)], (error, stdout, stderr) => {
      if (error !== null || stderr !== '') reject(new Error(`${error?.message ?? ''} ${stderr}`));
      else resolve(JSON.parse(stdout) as ChildEnd);
    });
  });
}

async function run({ endpoint, action, sizeBytes = 0, settings = {}, withoutKeys }: ChildCall): Promise<ChildEnd> {
  const none = withoutKeys === true ? { accessKeyId: undefined, secretAccessKey: undefined } : {};
  await using opened = await openTestStore(endpoint, { ...settings, ...none });
  const end = { message: '', exitCode: 0, bytes: 0 };
  try {
    if (action === 'write') {
      await using output = await opened.store.openOutput('a.tar', { force: false });
      const chunk = Buffer.alloc(256 * 1024);
      for (let fill = 0; end.bytes < sizeBytes; end.bytes += chunk.length, fill = (fill + 1) % 251) {
        await output.write(chunk.fill(fill));
      }
      await output.commit();
    } else {
      await using input = await opened.store.openInput('a.tar');
      for await (const chunk of input.chunks) end.bytes += chunk.length;
    }
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    Object.assign(end, { message: error.message, exitCode: error.exitCode });
  }
  return { ...end, memoryBytes: peakMemory() };
}

/** From /proc: what getrusage(2) says counts the memory of the process that began this one, too. */
function peakMemory(): number {
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

if (process.argv[1] === childScript) {
  const end = await run(JSON.parse(process.argv[2] ?? '{}') as ChildCall);
  process.stdout.write(`${JSON.stringify(end)}\n`);
}
