/**
 * One multipart upload: its parts, which grow, and its end. By the client's own commands rather than lib-storage's Upload,
 * whose parts all have one size, so that an archive of unknown length would need large ones from the start, and which
 * compares no ETag and cannot be told apart from the upload of another run.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { onAbort } from '../../base/deadline.js';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Bucket } from './s3-client.js';
import { NoS3Answer, refusalCode, translate, writing } from './s3-errors.js';
import { bareEtag, hidesMd5, markerKey, type ObjectFacts } from './s3-object.js';

const mebibyte = 1024 * 1024;
const firstPartBytes = 8 * mebibyte;
const maxPartBytes = 1024 * mebibyte;
const partsOfOneSize = 750;
/** Of Amazon S3, and of all others that copy it. */
export const maxParts = 10_000;

/** Of the part with this number, from 1: 8 MiB for the first 6 GB; 5.3 TiB fit into all parts. */
export function partBytes(partNumber: number): number {
  return Math.min(firstPartBytes * 2 ** Math.floor((partNumber - 1) / partsOfOneSize), maxPartBytes);
}

const dayMs = 24 * 60 * 60 * 1000;

interface Part {
  readonly PartNumber: number;
  readonly ETag: string;
  readonly md5: Buffer;
}

/** What the server says of the object that it has made. */
export type Completed = Pick<ObjectFacts, 'etag' | 'versionId'>;

/** Two parts are held at most: one that is sent, and one that is filled meanwhile. */
export class MultipartUpload {
  /** In the metadata of the object that will be made. */
  readonly marker: string = randomUUID();
  /** In bytes, of all that was written. */
  sentBytes = 0;
  readonly #bucket: Bucket;
  readonly #path: string;
  #id = '';
  #hidesMd5 = false;
  readonly #parts: Part[] = [];
  #partNumber = 1;
  #filling: Buffer = Buffer.allocUnsafe(partBytes(1));
  #spare: Buffer | undefined;
  #filledBytes = 0;
  #md5 = createHash('md5');
  #sending: Promise<void> = Promise.resolve();
  readonly #ended = new AbortController();
  readonly #stopListening: () => void;

  private constructor(bucket: Bucket, path: string) {
    this.#bucket = bucket;
    this.#path = path;
    this.#stopListening = onAbort(bucket.signal, () => this.#ended.abort(bucket.signal.reason));
  }

  /** Begins it on the server, which says now whether the key may write there. Throws a JobError with exit code 8. */
  static async start(bucket: Bucket, path: string): Promise<MultipartUpload> {
    const upload = new MultipartUpload(bucket, path);
    try {
      await translate(writing(bucket, path), () => upload.#start());
    } catch (error) {
      upload.#stopListening();
      throw error;
    }
    return upload;
  }

  async #start(): Promise<void> {
    const { client, name, objectLockDays } = this.#bucket;
    const lock = objectLockDays !== undefined && {
      ObjectLockMode: 'GOVERNANCE' as const,
      ObjectLockRetainUntilDate: new Date(Date.now() + objectLockDays * dayMs),
    };
    const command = new CreateMultipartUploadCommand({
      ...{ Bucket: name, Key: this.#path, Metadata: { [markerKey]: this.marker } },
      // Else some servers keep that of the request, XML.
      ContentType: 'application/octet-stream',
      ...lock,
    });
    const answer = await client.send(command, { abortSignal: this.#ended.signal }).catch((error: unknown) => {
      const code = refusalCode(error) ?? '';
      if (lock === false || !lockRefusals.includes(code)) throw error;
      const why = `it refuses object lock (${code}), which only a bucket made with it has`;
      throw this.#error(`${why}: leave --object-lock-days out`, error);
    });
    if (answer.UploadId === undefined) throw new NoS3Answer('an upload without an ID');
    this.#id = answer.UploadId;
    this.#hidesMd5 = hidesMd5(answer);
  }

  /** Copies the chunk. Throws a JobError with exit code 8, also for a part of an earlier chunk. */
  async write(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      if (this.#filledBytes === this.#filling.length) await this.#sendPart();
      const count = chunk.copy(this.#filling, this.#filledBytes, at);
      this.#md5.update(chunk.subarray(at, at + count));
      this.#filledBytes += count;
      at += count;
    }
    this.sentBytes += chunk.length;
  }

  /** Sends what is left, and resolves when the server has all parts. Throws a JobError with exit code 8. */
  async finishParts(): Promise<void> {
    if (this.#filledBytes > 0 || this.#parts.length === 0) await this.#sendPart();
    await this.#sending;
  }

  /** Begins to send the part that was filled, once the one before it has arrived. */
  async #sendPart(): Promise<void> {
    await this.#sending;
    const partNumber = this.#partNumber;
    if (partNumber > maxParts) throw this.#error(`it is larger than the ${maxParts} parts that S3 takes`);
    const sent = this.#filling;
    this.#sending = this.#send(partNumber, sent.subarray(0, this.#filledBytes));
    // It is awaited later.
    this.#sending.catch(() => undefined);
    this.#partNumber += 1;
    const size = partBytes(this.#partNumber);
    this.#filling = this.#spare?.length === size ? this.#spare : Buffer.allocUnsafe(size);
    this.#spare = sent;
    this.#filledBytes = 0;
    this.#md5 = createHash('md5');
  }

  async #send(partNumber: number, body: Buffer): Promise<void> {
    const md5 = this.#md5.digest();
    const command = new UploadPartCommand({
      ...{ Bucket: this.#bucket.name, Key: this.#path, UploadId: this.#id, PartNumber: partNumber },
      Body: body,
      // So that the server refuses a part that was damaged on its way; buckets with object lock demand it.
      ContentMD5: md5.toString('base64'),
    });
    await translate(writing(this.#bucket, this.#path), async () => {
      const answer = await this.#bucket.client.send(command, { abortSignal: this.#ended.signal });
      if (answer.ETag === undefined) throw new NoS3Answer('a part without an ETag');
      const etag = bareEtag(answer.ETag);
      this.#hidesMd5 ||= hidesMd5(answer);
      if (!this.#hidesMd5 && /^[0-9a-f]{32}$/.test(etag) && etag !== md5.toString('hex'))
        throw this.#error(`the server stored other bytes than were sent: the ETag of part ${partNumber} is ${etag}`);
      this.#parts.push({ PartNumber: partNumber, ETag: answer.ETag, md5 });
    });
  }

  /** Makes the object of the parts. Throws the SDK's errors. */
  async complete(ifNoneMatch: '*' | undefined): Promise<Completed> {
    const command = new CompleteMultipartUploadCommand({
      ...{ Bucket: this.#bucket.name, Key: this.#path, UploadId: this.#id },
      MultipartUpload: { Parts: this.#parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })) },
      ...(ifNoneMatch !== undefined && { IfNoneMatch: ifNoneMatch }),
    });
    const { ETag, VersionId } = await this.#bucket.client.send(command, { abortSignal: this.#ended.signal });
    if (ETag === undefined) throw new NoS3Answer('a completed upload without an ETag');
    return { etag: bareEtag(ETag), versionId: VersionId };
  }

  /** Whether this can be the ETag of what was sent; true also of one that is no MD5 of MD5s. */
  fits(etag: string): boolean {
    const ending = `-${this.#parts.length}`;
    if (this.#hidesMd5 || !/^[0-9a-f]{32}-\d+$/.test(etag) || !etag.endsWith(ending)) return true;
    const all = createHash('md5').update(Buffer.concat(this.#parts.map(({ md5 }) => md5)));
    return etag === `${all.digest('hex')}${ending}`;
  }

  /** Ends requests under way; nothing may follow but `abort`. */
  async stop(): Promise<void> {
    this.#stopListening();
    this.#ended.abort(new Error('the upload was discarded'));
    await this.#sending.catch(() => undefined);
  }

  /** Removes the parts from the server; none that are there is no error. Throws the SDK's errors. */
  async abort(abortSignal: AbortSignal): Promise<void> {
    const target = { Bucket: this.#bucket.name, Key: this.#path, UploadId: this.#id };
    try {
      await this.#bucket.client.send(new AbortMultipartUploadCommand(target), { abortSignal });
    } catch (error) {
      if (refusalCode(error) !== 'NoSuchUpload') throw error;
    }
  }

  #error(why: string, cause?: unknown): JobError {
    const message = `cannot write the archive to ${this.#bucket.nameOf(this.#path)}: ${why}`;
    return new JobError(ExitCode.output, message, { cause });
  }
}

/** What servers answer to object lock in a bucket without it. */
const lockRefusals = ['InvalidRequest', 'InvalidArgument', 'NotImplemented', 'ObjectLockConfigurationNotFoundError'];
