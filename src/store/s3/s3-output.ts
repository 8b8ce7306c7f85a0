/** An archive on its way into a bucket: an upload that becomes an object, looked at and read back, or nothing. */
import { errorText, JobError } from '../../base/errors.js';
import { withTimeout } from '../../base/deadline.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Output } from '../../model/archive-stream.js';
import type { StoreOutputOptions } from '../store.js';
import type { Bucket } from './s3-client.js';
import { pinnedInput } from './s3-download.js';
import { hasAppeared, isConditionRefused, reasonOf, translate, writing } from './s3-errors.js';
import { assertFree, lookAt, removeVersion, type ObjectFacts } from './s3-object.js';
import { MultipartUpload, type Completed } from './s3-upload.js';

/**
 * Begins an upload, which needs the right to write and not that to read or list. The object appears when it is committed.
 * Where `verifyArchive` then throws, disposing removes it again; without versions of the bucket, what it replaced is lost.
 */
export async function openS3Output(bucket: Bucket, path: string, options: StoreOutputOptions): Promise<Output> {
  await assertFree(bucket, path, options.force);
  const upload = await MultipartUpload.start(bucket, path);
  return new S3Output({ bucket, path, options, upload });
}

interface Writing {
  readonly bucket: Bucket;
  readonly path: string;
  readonly options: StoreOutputOptions;
  readonly upload: MultipartUpload;
}

/** An abort of the run waits for this. */
const discardTimeoutMs = 5000;

class S3Output implements Output {
  readonly name: string;
  readonly #writing: Writing;
  /** `asked`: the object may be there. */
  #state: 'uploading' | 'asked' | 'final' = 'uploading';
  #completed: Completed | undefined;

  constructor(all: Writing) {
    this.#writing = all;
    this.name = all.bucket.nameOf(all.path);
  }

  async write(chunk: Buffer): Promise<void> {
    await this.#writing.upload.write(chunk);
  }

  async commit(): Promise<void> {
    const { bucket, path, options, upload } = this.#writing;
    await upload.finishParts();
    const facts = await translate(writing(bucket, path), async () => {
      this.#completed = await this.#complete();
      return this.#assertStored(this.#completed?.etag);
    });
    if (options.verifyArchive !== undefined) {
      if (facts === undefined) throw this.#error('it cannot be read back: the access key has no right to read it');
      await options.verifyArchive(() => Promise.resolve(pinnedInput(bucket, path, facts)));
    }
    this.#state = 'final';
    await upload.stop();
  }

  /** Undefined where the answer was lost, and the object is there. */
  async #complete(): Promise<Completed | undefined> {
    const { bucket, path, options, upload } = this.#writing;
    // Just before, for servers that do not know If-None-Match, or ignore it.
    const assertNotAppeared = async (): Promise<void> => {
      if (!options.force && typeof (await lookAt(bucket, path, bucket.signal)) === 'object') throw this.#appeared();
    };
    await assertNotAppeared();
    this.#state = 'asked';
    try {
      if (options.force) return await upload.complete(undefined);
      try {
        return await upload.complete('*');
      } catch (error) {
        if (!isConditionRefused(error)) throw error;
        await assertNotAppeared();
        return await upload.complete(undefined);
      }
    } catch (error) {
      if (bucket.signal.aborted || error instanceof JobError) throw error;
      // The answer to an earlier attempt may have been lost.
      const facts = await lookAt(bucket, path, bucket.signal).catch(() => 'hidden' as const);
      if (typeof facts === 'object' && facts.marker === upload.marker) return undefined;
      throw hasAppeared(error) ? this.#appeared(error) : error;
    }
  }

  /** Gives what is there; undefined where the key may not look, and the server has given an ETag that fits. */
  async #assertStored(etag: string | undefined): Promise<ObjectFacts | undefined> {
    const { bucket, path, upload } = this.#writing;
    if (etag !== undefined && !upload.fits(etag)) throw this.#otherBytes(etag);
    const facts = await lookAt(bucket, path, bucket.signal);
    if (facts === 'absent') throw this.#error('the server says that it is complete, but does not have it');
    if (facts === 'hidden') {
      bucket.warn(`${this.name} is written; the access key has no right to read it, so its size cannot be checked`);
      return undefined;
    }
    // A server may keep no metadata.
    if (![undefined, upload.marker].includes(facts.marker)) throw this.#error('another process replaced it');
    if (facts.sizeBytes !== upload.sentBytes)
      throw this.#error(`the server has ${facts.sizeBytes} bytes of it instead of ${upload.sentBytes}`);
    if (!facts.hidesMd5 && !upload.fits(facts.etag)) throw this.#otherBytes(facts.etag);
    return facts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'final') return;
    const { bucket } = this.#writing;
    const late = (): Error => new Error(`${bucket.serverName} has not answered for ${discardTimeoutMs} ms`);
    // The signal of the run may be aborted by now.
    const signal = AbortSignal.timeout(discardTimeoutMs);
    try {
      await withTimeout(this.#discard(signal), discardTimeoutMs, late);
    } catch (error) {
      const why = signal.aborted
        ? late().message
        : error instanceof JobError
          ? errorText(error)
          : reasonOf(error, bucket);
      bucket.warn(`what was sent of ${this.name} cannot be removed: ${why}; end its unfinished uploads by hand`);
    }
  }

  async #discard(signal: AbortSignal): Promise<void> {
    const { bucket, path, upload } = this.#writing;
    await upload.stop();
    const aborting = upload.abort(signal);
    // A server that has completed the upload may refuse to abort it.
    await aborting.catch(() => undefined);
    const made = this.#state === 'asked' ? await this.#made(signal) : undefined;
    if (made === undefined) await aborting;
    else await removeVersion(bucket, { path, versionId: made.versionId }, signal);
  }

  /** Never by its size alone: what is there may be of another run. */
  async #made(signal: AbortSignal): Promise<Pick<ObjectFacts, 'versionId'> | undefined> {
    const { bucket, path, upload } = this.#writing;
    const facts = await lookAt(bucket, path, signal);
    if (facts === 'hidden') return this.#completed;
    return facts !== 'absent' && facts.marker === upload.marker ? facts : undefined;
  }

  #appeared(cause?: unknown): JobError {
    const message = `${this.name} appeared while the archive was written, and is not overwritten`;
    return new JobError(ExitCode.output, message, { cause });
  }

  #otherBytes(etag: string): JobError {
    return this.#error(`the server stored other bytes than were sent: its ETag is ${etag}`);
  }

  #error(why: string): JobError {
    return new JobError(ExitCode.output, `cannot write the archive to ${this.name}: ${why}`);
  }
}
