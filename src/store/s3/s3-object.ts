/** What a bucket holds at a key. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
} from '@aws-sdk/client-s3';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { Bucket } from './s3-client.js';
import { NoS3Answer, refusalCode, statusOf, translate, writing } from './s3-errors.js';

export interface ObjectFacts {
  readonly sizeBytes: number;
  /** Without quotation marks. */
  readonly etag: string;
  /** In a bucket with versioning. */
  readonly versionId: string | undefined;
  /** The `markerKey` with which it was made. */
  readonly marker: string | undefined;
  /** Whether its ETag is that of other bytes than those that were sent. */
  readonly hidesMd5: boolean;
}

/** Metadata that tells the object of one upload from every other at its key. */
export const markerKey = 'dtr-backup-upload';

/** `hidden`: the key may neither read it nor learn whether it exists. Throws the SDK's errors. */
export async function lookAt(
  { client, name }: Bucket,
  path: string,
  abortSignal: AbortSignal,
): Promise<ObjectFacts | 'absent' | 'hidden'> {
  try {
    return factsOf(await client.send(new HeadObjectCommand({ Bucket: name, Key: path }), { abortSignal }));
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
  }
  // The answer to HEAD has no body that could say why.
  try {
    const probe = new GetObjectCommand({ Bucket: name, Key: path, Range: 'bytes=0-0' });
    const { Body } = await client.send(probe, { abortSignal });
    await Body?.transformToByteArray();
  } catch (error) {
    const code = refusalCode(error);
    if (code === 'NoSuchKey' || code === 'NotFound') return 'absent';
    if (code === 'AccessDenied' || (code?.startsWith('Unknown') === true && statusOf(error) === 403)) return 'hidden';
    throw error;
  }
  throw new NoS3Answer('it refuses HEAD of an object that it gives');
}

function factsOf(head: HeadObjectCommandOutput): ObjectFacts {
  const { ContentLength: sizeBytes, ETag: etag, VersionId: versionId, Metadata: metadata } = head;
  if (sizeBytes === undefined || etag === undefined) throw new NoS3Answer('an object without a length or an ETag');
  return { sizeBytes, etag: bareEtag(etag), versionId, marker: metadata?.[markerKey], hidesMd5: hidesMd5(head) };
}

export function bareEtag(etag: string): string {
  return etag.replace(/^(?:W\/)?"?(.*?)"?$/, '$1');
}

/** With keys of KMS or of the customer, ETags are not MD5 (Amazon S3 API reference, "Object"). */
export function hidesMd5(answer: {
  readonly ServerSideEncryption?: string | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
}): boolean {
  return answer.ServerSideEncryption?.startsWith('aws:kms') === true || answer.SSECustomerAlgorithm !== undefined;
}

/** Throws a JobError with exit code 8 for a key that no archive can have, that is taken, or whose bucket does not exist. */
export async function assertFree(bucket: Bucket, path: string, force: boolean): Promise<void> {
  const refused = (why: string): JobError => new JobError(ExitCode.output, `${bucket.nameOf(path)} ${why}`);
  if (path === '' || path.endsWith('/')) throw refused('is not the name of a file: name a key in the bucket');
  await translate(writing(bucket, path), async () => {
    const facts = await lookAt(bucket, path, bucket.signal);
    if (typeof facts === 'object' && !force) throw refused('exists and is never overwritten without --force');
    if (facts === 'absent' && !(await mayHaveBucket(bucket))) {
      throw new JobError(
        ExitCode.output,
        `cannot write the archive to ${bucket.nameOf(path)}: there is no such bucket`,
      );
    }
  });
}

/** Some servers say NoSuchKey also of a bucket that does not exist. A key that may write may have no right to ask. */
async function mayHaveBucket({ client, name, signal }: Bucket): Promise<boolean> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: name }), { abortSignal: signal });
    return true;
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
    return statusOf(error) !== 404;
  }
}

/** Where versions are kept, removes this one, and none before it. Throws the SDK's errors. */
export async function removeVersion(
  { client, name, objectLockDays }: Bucket,
  { path, versionId }: { readonly path: string; readonly versionId: string | undefined },
  abortSignal: AbortSignal,
): Promise<void> {
  const isLocked = versionId !== undefined && objectLockDays !== undefined;
  const command = new DeleteObjectCommand({
    Bucket: name,
    Key: path,
    ...(versionId !== undefined && { VersionId: versionId }),
    ...(isLocked && { BypassGovernanceRetention: true }),
  });
  try {
    await client.send(command, { abortSignal });
  } catch (error) {
    const code = refusalCode(error);
    if (code !== 'NoSuchKey' && code !== 'NotFound' && code !== 'NoSuchVersion') throw error;
  }
}
