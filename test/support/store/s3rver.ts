/** s3rver, a server of S3's protocol, as a process of its own. It has a bucket `bucket`, and knows no AbortMultipartUpload. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildServer } from '../replica/child-server.js';

export interface S3rver extends AsyncDisposable {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Where it keeps its objects. */
  readonly directory: string;
}

const listening = /listening on (\S+):(\d+)/;

export async function startS3rver(): Promise<S3rver> {
  const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-s3rver-'));
  const script = join(process.cwd(), 'node_modules', 's3rver', 'bin', 's3rver.js');
  const server = await ChildServer.start({
    command: process.execPath,
    args: [script, '-d', directory, '-a', '127.0.0.1', '-p', '0', '--configure-bucket', 'bucket'],
    directory,
    startTimeoutMs: 60_000,
    isReady: (lines) => lines.some((line) => listening.test(line)),
  });
  const port = server.lines.map((line) => listening.exec(line)?.[2]).find((found) => found !== undefined);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    directory,
    async [Symbol.asyncDispose]() {
      await server.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
