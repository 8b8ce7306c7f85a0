/** Archives, summaries and locks in a bucket of S3, or of a server that speaks its protocol. */
import { createHash, randomUUID } from 'node:crypto';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import { maxTextBytes, type Store, type StoreContext, type StoredFile } from '../store.js';
import { connectBucket, type Bucket, type S3Settings } from './s3-client.js';
import { openS3Input, pinnedInput } from './s3-download.js';
import { hasAppeared, isConditionRefused, NoS3Answer, translate } from './s3-errors.js';
import { assertFree, lookAt, markerKey, removeVersion } from './s3-object.js';
import { openS3Output } from './s3-output.js';

export type { S3Settings } from './s3-client.js';

/** Sends nothing yet. Throws a UsageError for settings that cannot work. Disposing closes its connections. */
export function openS3Store(bucket: string, settings: S3Settings, context: StoreContext): Promise<Store> {
  return Promise.resolve().then(() => storeOf(connectBucket(bucket, settings, context)));
}

function storeOf(bucket: Bucket): Store {
  return {
    nameOf: (path) => bucket.nameOf(path),
    assertFree: (path, { force }) => assertFree(bucket, path, force),
    openOutput: (path, options) => openS3Output(bucket, path, options),
    openInput: (path) => openS3Input(bucket, path),
    list: (directory) =>
      translate({ bucket, path: directory, exitCode: ExitCode.usage, action: 'list' }, () => list(bucket, directory)),
    readText: (path) =>
      translate({ bucket, path, exitCode: ExitCode.usage, action: 'read' }, () => readText(bucket, path)),
    writeText: (path, text, options) =>
      translate({ bucket, path, exitCode: ExitCode.output, action: 'write' }, () =>
        writeText(bucket, { path, text, ...options }),
      ),
    remove: (path) =>
      translate({ bucket, path, exitCode: ExitCode.output, action: 'remove' }, () =>
        removeVersion(bucket, { path, versionId: undefined }, bucket.signal),
      ),
    [Symbol.asyncDispose]() {
      bucket.client.destroy();
      return Promise.resolve();
    },
  };
}

async function list({ client, name, signal }: Bucket, directory: string): Promise<readonly StoredFile[]> {
  const files: StoredFile[] = [];
  for (let token: string | undefined; ;) {
    const command = new ListObjectsV2Command({
      ...{ Bucket: name, Prefix: directory, Delimiter: '/' },
      ...(token !== undefined && { ContinuationToken: token }),
    });
    const {
      Contents: contents = [],
      IsTruncated,
      NextContinuationToken,
    } = await client.send(command, {
      abortSignal: signal,
    });
    for (const { Key: path, Size: sizeBytes, LastModified: modifiedAt } of contents) {
      if (path === undefined || sizeBytes === undefined || modifiedAt === undefined)
        throw new NoS3Answer('a list of objects without their names, sizes or times');
      const rest = path.slice(directory.length);
      // The directory itself, as some programs make one; servers that do not know the delimiter give all that is below.
      if (rest === '' || rest.includes('/')) continue;
      files.push({ path, sizeBytes, modifiedAt });
    }
    if (IsTruncated !== true) break;
    if (NextContinuationToken === undefined || NextContinuationToken === token)
      throw new NoS3Answer('a list of objects whose next page cannot be asked for');
    token = NextContinuationToken;
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function readText(bucket: Bucket, path: string): Promise<string | undefined> {
  const facts = await lookAt(bucket, path, bucket.signal);
  if (facts === 'absent') return undefined;
  const refused = (why: string): JobError => new JobError(ExitCode.usage, `cannot read ${bucket.nameOf(path)}: ${why}`);
  if (facts === 'hidden') throw refused('access denied: it does not exist, or the access key has no right to read it');
  if (facts.sizeBytes > maxTextBytes) throw refused(`it is longer than ${maxTextBytes} bytes`);
  await using input = pinnedInput(bucket, path, facts);
  const chunks: Buffer[] = [];
  for await (const chunk of input.chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

interface TextFile {
  readonly path: string;
  readonly text: string;
  readonly replaces: boolean;
}

async function writeText(bucket: Bucket, { path, text, replaces }: TextFile): Promise<boolean> {
  const body = Buffer.from(text);
  const marker = randomUUID();
  const put = async (ifNoneMatch: '*' | undefined): Promise<void> => {
    const command = new PutObjectCommand({
      ...{ Bucket: bucket.name, Key: path, Body: body, Metadata: { [markerKey]: marker } },
      ContentMD5: createHash('md5').update(body).digest('base64'),
      ...(ifNoneMatch !== undefined && { IfNoneMatch: ifNoneMatch }),
    });
    const { ETag } = await bucket.client.send(command, { abortSignal: bucket.signal });
    if (ETag === undefined) throw new NoS3Answer('an object without an ETag');
  };
  // Also before it, for servers that do not know If-None-Match, or ignore it.
  const isTaken = async (): Promise<boolean> => typeof (await lookAt(bucket, path, bucket.signal)) === 'object';
  if (replaces) {
    await put(undefined);
  } else {
    if (await isTaken()) return false;
    try {
      await put('*').catch(async (error: unknown) => {
        if (!isConditionRefused(error)) throw error;
        if (!(await isTaken())) await put(undefined);
      });
    } catch (error) {
      // It may be there by an earlier attempt whose answer was lost: the marker tells.
      if (!hasAppeared(error)) throw error;
    }
  }
  const facts = await lookAt(bucket, path, bucket.signal);
  if (facts === 'hidden') return true;
  if (facts !== 'absent' && facts.marker === marker) {
    if (facts.sizeBytes === body.length) return true;
    throw new NoS3Answer(`${facts.sizeBytes} bytes instead of ${body.length}`);
  }
  // One that was replaced at once was whole as well.
  if (!replaces || facts !== 'absent') return replaces;
  throw new JobError(ExitCode.output, `cannot write ${bucket.nameOf(path)}: another process removed it`);
}
