/** Reading an object: the bytes of one version of it, also over several connections. */
import type { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { abortable, pause } from '../../base/deadline.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Input } from '../../model/archive-stream.js';
import type { Bucket } from './s3-client.js';
import { NoS3Answer, reading, statusOf, translate } from './s3-errors.js';
import { bareEtag, lookAt, type ObjectFacts } from './s3-object.js';

/** Connections lost one after the other without a byte between them; the SDK's own attempts to open one do not count. */
const maxLosses = 5;
const lossPauseMs = 200;

/** Throws a JobError with exit code 2 for what cannot be read, or the signal's reason. */
export async function openS3Input(bucket: Bucket, path: string): Promise<Input> {
  const facts = await translate(reading(bucket, path), async () => {
    if (path === '' || path.endsWith('/')) throw unreadable({ bucket, path }, 'it names no file');
    return lookAt(bucket, path, bucket.signal);
  });
  if (facts === 'absent') throw unreadable({ bucket, path }, 'no such object');
  if (facts === 'hidden')
    throw unreadable({ bucket, path }, 'access denied: it does not exist, or the access key has no right to read it');
  return pinnedInput(bucket, path, facts);
}

/** Reads the object with this ETag and version, and no other that takes its place. */
export function pinnedInput(bucket: Bucket, path: string, facts: ObjectFacts): Input {
  const download = new Download({ bucket, path, facts });
  return {
    name: bucket.nameOf(path),
    sizeBytes: facts.sizeBytes,
    chunks: download.chunks(),
    again: () => pinnedInput(bucket, path, facts),
    [Symbol.asyncDispose]() {
      download.close();
      return Promise.resolve();
    },
  };
}

interface Target {
  readonly bucket: Bucket;
  readonly path: string;
}

function unreadable({ bucket, path }: Target, why: string, cause?: unknown): JobError {
  const message = `cannot read the archive from ${bucket.nameOf(path)}: ${why}`;
  return new JobError(ExitCode.usage, message, { cause });
}

class Download {
  readonly #target: Target & { readonly facts: ObjectFacts };
  #body: Readable | undefined;

  constructor(target: Target & { readonly facts: ObjectFacts }) {
    this.#target = target;
  }

  close(): void {
    this.#body?.destroy();
  }

  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    const { bucket, path, facts } = this.#target;
    try {
      for (let at = 0, losses = 0; at < facts.sizeBytes;) {
        const body = await translate(reading(bucket, path), () => this.#open(at));
        const chunks = body.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer, undefined>;
        let loss: unknown;
        for (;;) {
          const next = await abortable(chunks.next(), bucket.signal).catch((error: unknown) => {
            loss = error;
          });
          bucket.signal.throwIfAborted();
          if (next === undefined || next.done === true) break;
          at += next.value.length;
          losses = 0;
          if (at > facts.sizeBytes) throw this.#unreadable(`it is longer than the ${facts.sizeBytes} bytes announced`);
          yield next.value;
        }
        body.destroy();
        if (at === facts.sizeBytes) return;
        losses += 1;
        if (losses === maxLosses) {
          throw this.#unreadable(`the connection ends after ${at} of ${facts.sizeBytes} bytes, ${losses} times`, loss);
        }
        await pause(lossPauseMs * losses, bucket.signal);
      }
    } finally {
      this.close();
    }
  }

  async #open(at: number): Promise<Readable> {
    const { bucket, path, facts } = this.#target;
    const command = new GetObjectCommand({
      Bucket: bucket.name,
      Key: path,
      IfMatch: `"${facts.etag}"`,
      ...(facts.versionId !== undefined && { VersionId: facts.versionId }),
      ...(at > 0 && { Range: `bytes=${at}-` }),
    });
    const answer = await bucket.client.send(command, { abortSignal: bucket.signal }).catch((error: unknown) => {
      const status = statusOf(error);
      if (status === 412 || status === 416) throw this.#unreadable('it was replaced while it was read', error);
      if (status === 404) throw this.#unreadable('it was removed while it was read', error);
      throw error;
    });
    // Given by Node's HTTP client.
    const body = answer.Body as Readable | undefined;
    if (body === undefined) throw new NoS3Answer('an object without a body');
    this.#body = body;
    // After it is destroyed, or while nobody reads it.
    body.on('error', () => undefined);
    // For a server that does not know If-Match.
    if (answer.ETag === undefined || bareEtag(answer.ETag) !== facts.etag)
      throw this.#unreadable('it was replaced while it was read');
    if (at > 0 && answer.ContentRange?.startsWith(`bytes ${at}-`) !== true)
      throw this.#unreadable(`the connection was lost after ${at} bytes, and the server gives no part of an object`);
    return body;
  }

  #unreadable(why: string, cause?: unknown): JobError {
    return unreadable(this.#target, why, cause);
  }
}
