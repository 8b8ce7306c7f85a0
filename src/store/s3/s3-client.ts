/** The connection to a bucket: endpoint, credentials, trust, timeouts and retries of the SDK. */
import { X509Certificate } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { UsageError } from '../../base/errors.js';
import type { Secret } from '../../base/secret.js';
import { nameOfPlace } from '../../model/place.js';
import type { StoreContext } from '../store.js';

export interface S3Settings {
  /** URL of a server that is not Amazon's. */
  readonly endpoint?: string | undefined;
  /** When left out `us-east-1` with an endpoint, else that of the SDK's own variables and files. */
  readonly region?: string | undefined;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. */
  readonly pathStyle: boolean;
  /** PEM of the only authorities that are trusted; when left out those of Node. */
  readonly ca?: string | undefined;
  /** Without it and `secretAccessKey`, credentials are those that the SDK finds in its own variables and files. */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: Secret | undefined;
  readonly sessionToken?: Secret | undefined;
  /** For how many days an archive can neither be replaced nor removed (object lock, mode GOVERNANCE). */
  readonly objectLockDays?: number | undefined;
}

/** A bucket, and what every request to it needs. */
export interface Bucket extends StoreContext {
  readonly client: S3Client;
  readonly name: string;
  /** The server as messages call it. */
  readonly serverName: string;
  readonly objectLockDays: number | undefined;
  nameOf(path: string): string;
}

const connectionTimeoutMs = 10_000;
/** Without a byte in either direction. */
const idleTimeoutMs = 60_000;
const maxAttempts = 5;

/** Sends nothing yet. Throws a UsageError for settings that cannot work. The caller destroys the client. */
export function connectBucket(name: string, settings: S3Settings, context: StoreContext): Bucket {
  const { endpoint, region = endpoint === undefined ? undefined : 'us-east-1', ca } = settings;
  if (endpoint !== undefined && !(URL.canParse(endpoint) && /^https?:\/\//i.test(endpoint)))
    throw new UsageError([`--s3-endpoint: not an http:// or https:// URL: ${endpoint}`]);
  if (ca !== undefined) assertCertificate(ca);
  const client = new S3Client({
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...credentialsOf(settings),
    forcePathStyle: settings.pathStyle,
    followRegionRedirects: true,
    maxAttempts,
    // The newer checksums that the SDK adds by default break servers that are not Amazon's.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // The SDK would open a connection for each part, by an agent that does not know the authorities given here.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: connectionTimeoutMs,
      socketTimeout: idleTimeoutMs,
      httpAgent: new HttpAgent({ keepAlive: true }),
      httpsAgent: new HttpsAgent({ keepAlive: true, ...(ca !== undefined && { ca, allowPartialTrustChain: true }) }),
    },
  });
  return {
    ...context,
    client,
    name,
    serverName: endpoint ?? 'Amazon S3',
    objectLockDays: settings.objectLockDays,
    nameOf: (path) => nameOfPlace({ kind: 's3', bucket: name, path }),
  };
}

/** TLS itself would silently trust no server. */
function assertCertificate(pem: string): void {
  try {
    new X509Certificate(pem);
  } catch {
    throw new UsageError(['--s3-ca: not a certificate in PEM']);
  }
}

function credentialsOf(settings: S3Settings): Pick<S3ClientConfig, 'credentials'> {
  const { accessKeyId, secretAccessKey, sessionToken } = settings;
  if (accessKeyId === undefined && secretAccessKey === undefined) return {};
  if (accessKeyId === undefined) throw new UsageError(['AWS_SECRET_ACCESS_KEY is set without AWS_ACCESS_KEY_ID']);
  if (secretAccessKey === undefined) throw new UsageError(['AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY']);
  const credentials = {
    accessKeyId,
    secretAccessKey: secretAccessKey.reveal(),
    ...(sessionToken !== undefined && { sessionToken: sessionToken.reveal() }),
  };
  return { credentials };
}
