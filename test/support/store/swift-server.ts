/**
 * OpenStack Swift with its S3 API (s3api, tempauth) on loopback: a server that stores, signs and versions as one in the
 * field. Four processes, rings and a device in a temporary directory, whose file system must have extended attributes.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { ChildServer } from '../replica/child-server.js';
import { until } from '../until.js';

export interface SwiftServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, for path-style requests in region us-east-1. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** For what the store does not do. The server destroys it. */
  readonly client: S3Client;
  /** What the four servers printed so far. */
  log(): string;
  createBucket(name: string, options?: { readonly isVersioned?: boolean }): Promise<void>;
}

const accessKeyId = 'test:tester';
const secretAccessKey = 'testing';
const startTimeoutMs = 60_000;
const kinds = ['account', 'container', 'object'] as const;

/** Why Swift cannot run here; undefined where it can. Says SKIPPED on stderr where it cannot. */
export function swiftMissing(): string | undefined {
  const why = missing();
  if (why !== undefined) writeSync(2, `SKIPPED: tests with OpenStack Swift: ${why}\n`);
  return why;
}

function missing(): string | undefined {
  const commands = ['swift-ring-builder', 'swift-proxy-server', ...kinds.map((kind) => `swift-${kind}-server`)];
  const absent = commands.filter((command) => spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0);
  if (absent.length > 0) return `no ${absent.join(', ')} on the PATH`;
  const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-swift-'));
  const script = "import os, sys; os.setxattr(sys.argv[1], 'user.swift', b'x' * 1024)";
  const hasAttributes = spawnSync('/usr/bin/python3', ['-c', script, directory]).status === 0;
  rmSync(directory, { recursive: true });
  return hasAttributes ? undefined : `the file system of ${tmpdir()} has no extended attributes`;
}

export async function startSwift(): Promise<SwiftServer> {
  const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-swift-'));
  const servers: ChildServer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.kill()));
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    mkdirSync(join(directory, 'devices', 'one'), { recursive: true });
    const salt = 'swift_hash_path_suffix = test\nswift_hash_path_prefix = test\n';
    writeFileSync(
      join(directory, 'swift.conf'),
      `[swift-hash]\n${salt}\n[storage-policy:0]\nname = only\ndefault = yes\n`,
    );
    const ports = await freePorts(kinds.length + 1);
    for (const [index, kind] of kinds.entries()) {
      const port = ports[index] ?? 0;
      buildRing(directory, kind, port);
      servers.push(await startServer(kind, { directory, port, rest: storageConf(kind, directory) }));
    }
    const port = ports[kinds.length] ?? 0;
    servers.push(await startServer('proxy', { directory, port, rest: proxyConf }));
    const endpoint = `http://127.0.0.1:${port}`;
    const client = new S3Client({
      ...{ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    return {
      ...{ endpoint, accessKeyId, secretAccessKey, client },
      log: () => servers.flatMap(({ lines }) => lines).join('\n'),
      async createBucket(name, { isVersioned = false } = {}) {
        await client.send(new CreateBucketCommand({ Bucket: name }));
        const on = { Bucket: name, VersioningConfiguration: { Status: 'Enabled' as const } };
        if (isVersioned) await client.send(new PutBucketVersioningCommand(on));
      },
      async [Symbol.asyncDispose]() {
        client.destroy();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Each is free until another process takes it. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** One copy of everything, on the only device. */
function buildRing(directory: string, kind: string, port: number): void {
  const build = (...args: string[]): unknown =>
    execFileSync('swift-ring-builder', [join(directory, `${kind}.builder`), ...args], { stdio: 'pipe' });
  build('create', '4', '1', '1');
  build('add', `r1z1-127.0.0.1:${port}/one`, '1');
  build('rebalance');
}

function storageConf(kind: string, directory: string): string {
  return `devices = ${join(directory, 'devices')}
mount_check = false
disable_fallocate = true
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`;
}

/** tempauth demands a cache, and does without one that does not answer: nothing listens on port 1. */
const proxyConf = `[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck listing_formats cache s3api tempauth bulk copy dlo slo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:copy]
use = egg:swift#copy
[filter:dlo]
use = egg:swift#dlo
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = ${secretAccessKey} .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:symlink]
use = egg:swift#symlink
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
`;

interface Conf {
  readonly directory: string;
  readonly port: number;
  readonly rest: string;
}

async function startServer(kind: string, { directory, port, rest }: Conf): Promise<ChildServer> {
  const path = join(directory, `${kind}.conf`);
  const address = `bind_ip = 127.0.0.1\nbind_port = ${port}\nswift_dir = ${directory}\n`;
  // Without the processor's number of workers, and as this user rather than `swift`.
  const common = `[DEFAULT]\n${address}workers = 0\nuser = ${userInfo().username}\nlog_address = ${directory}/no-log\n`;
  writeFileSync(path, `${common}${rest}`);
  const server = await ChildServer.start({
    command: 'sh',
    args: ['-c', 'echo started; exec "$@"', 'sh', `swift-${kind}-server`, path, '-v'],
    ...{ directory, startTimeoutMs },
    isReady: (lines) => lines.length > 0,
  });
  try {
    await until(`swift-${kind}-server listens`, () => !server.running || isListening(port), startTimeoutMs);
    if (!server.running) throw new Error('it has ended');
    return server;
  } catch (error) {
    await server.kill();
    throw new Error(`swift-${kind}-server:\n${server.lines.slice(-20).join('\n')}`, { cause: error });
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
