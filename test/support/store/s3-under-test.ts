/** The S3 store as tests open it, and what they do with it. */
import { randomBytes } from 'node:crypto';
import { Secret } from '#src/base/secret.js';
import { openS3Store, type S3Settings } from '#src/store/s3/s3-store.js';
import type { Input } from '#src/model/archive-stream.js';
import type { Store, StoreOutputOptions } from '#src/store/store.js';

// The SDK would use keys of this machine, ask its cloud for some, and complain of Node 20 on stderr.
Object.assign(process.env, { AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_CONFIG_FILE: '/dev/null' });
delete process.env.AWS_ACCESS_KEY_ID;
delete process.env.AWS_SECRET_ACCESS_KEY;
process.env.AWS_EC2_METADATA_DISABLED = 'true';
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

export interface OpenedStore extends AsyncDisposable {
  readonly store: Store;
  readonly warnings: readonly string[];
  readonly controller: AbortController;
}

export const testSecret = 'not-to-be-printed';

/** In the bucket `bucket` of this server. */
export async function openTestStore(
  endpoint: string,
  settings: Partial<S3Settings> = {},
  bucket = 'bucket',
): Promise<OpenedStore> {
  const warnings: string[] = [];
  const controller = new AbortController();
  const keys = { accessKeyId: 'S3RVER', secretAccessKey: new Secret(testSecret) };
  const store = await openS3Store(
    bucket,
    { endpoint, pathStyle: true, ...keys, ...settings },
    { signal: controller.signal, warn: (message) => void warnings.push(message) },
  );
  return { store, warnings, controller, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

const chunkBytes = 1_000_003;

/** In chunks of which each uses the memory of the one before again. */
export async function writeArchive(
  store: Store,
  { path, bytes, ...options }: { readonly path: string; readonly bytes: Buffer } & Partial<StoreOutputOptions>,
): Promise<void> {
  await using output = await store.openOutput(path, { force: false, ...options });
  const chunk = Buffer.alloc(chunkBytes);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const count = bytes.copy(chunk, 0, at);
    await output.write(chunk.subarray(0, count));
    chunk.fill(0xff);
  }
  await output.commit();
}

export async function readAll(input: Input): Promise<Buffer> {
  await using open = input;
  const chunks: Buffer[] = [];
  for await (const chunk of open.chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Of three parts. */
export function archiveOfThreeParts(): Buffer {
  return randomBytes(20 * 1024 * 1024 + 1);
}
