// The examples that store in S3, as they stand in docs/pipelines, with OpenStack Swift as the server.
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startSwift, swiftMissing, type SwiftServer } from '../support/store/swift-server.js';
import { until } from '../support/until.js';
import { output, shell, world } from './environment.js';

const { image, replicaId, ucp } = world;
/** This machine, as containers see it. */
const [gateway = ''] = ucp.split(':');
const bucket = 'backups';
const isSkipped = swiftMissing() !== undefined;

let swift: SwiftServer;
let relay: Server;
let monitor: Server;
const pings: string[] = [];
let env: Record<string, string>;

async function listenAtGateway(server: Server): Promise<string> {
  await once(server.listen(0, gateway), 'listening');
  return `http://${gateway}:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  if (isSkipped) return;
  swift = await startSwift();
  await swift.createBucket(bucket);
  const port = Number(new URL(swift.endpoint).port);
  relay = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  monitor = createHttpServer((request, response) => {
    pings.push(`${request.method ?? ''} ${request.url ?? ''}`);
    request.resume();
    response.end();
  });
  env = {
    DTR_BACKUP_IMAGE: image,
    AWS_ENDPOINT_URL_S3: await listenAtGateway(relay),
    DTR_S3_PATH_STYLE: 'true',
    AWS_ACCESS_KEY_ID: swift.accessKeyId,
    AWS_SECRET_ACCESS_KEY: swift.secretAccessKey,
    PING_URL: `${await listenAtGateway(monitor)}/some-check`,
  };
});
afterAll(async () => {
  if (isSkipped) return;
  relay.close();
  monitor.close();
  await swift[Symbol.asyncDispose]();
});

const s3 = '--env AWS_ENDPOINT_URL_S3 --env DTR_S3_PATH_STYLE --env AWS_ACCESS_KEY_ID --env AWS_SECRET_ACCESS_KEY';

/** What the job prints, with the settings of S3. */
async function job(args: string): Promise<string> {
  const { exitCode, stdout, stderr } = await shell(`docker run --rm ${s3} ${image} ${args}`, env).ended();
  if (exitCode !== 0) throw new Error(stderr);
  return stdout.toString();
}

interface Listed {
  readonly archives: readonly { readonly path: string; readonly state: string }[];
}

async function archivesIn(directory: string): Promise<Listed['archives']> {
  return (JSON.parse(await job(`list --json s3://${bucket}/${directory}/`)) as Listed).archives;
}

(isSkipped ? describe.skip : describe)('swarm-schedule.sh', () => {
  const secrets = ['ucp_password', 'aws_access_key_id', 'aws_secret_access_key', 'dtr_ping_url'];
  const removeAll = async (): Promise<void> => {
    await shell(`docker service rm dtr-backup; docker secret rm ${secrets.join(' ')}`).ended();
  };
  beforeAll(removeAll);
  afterAll(removeAll);

  test('backs up again and again, prunes, and pings', async () => {
    const values = { ucp_password: 'UCP_PASSWORD', aws_access_key_id: 'AWS_ACCESS_KEY_ID' };
    const others = { aws_secret_access_key: 'AWS_SECRET_ACCESS_KEY', dtr_ping_url: 'PING_URL' };
    for (const [secret, variable] of Object.entries({ ...values, ...others })) {
      const { exitCode } = await shell(`printf %s "$${variable}" | docker secret create ${secret} -`, env).ended();
      expect(exitCode).toBe(0);
    }
    const call = `docs/pipelines/swarm-schedule.sh ${ucp} admin ${replicaId} s3://${bucket}/scheduled`;
    const created = await shell(call, { ...env, DTR_BACKUP_INTERVAL: '2s' }).ended();
    expect(`${created.exitCode ?? ''} ${created.stderr}`).toMatch(/^0 /);
    const rounds = (): number => pings.filter((ping) => ping === 'GET /some-check').length;
    // A ping of the backup's end and one of the prune's, for each round.
    await until('two rounds have ended', () => rounds() >= 4, 200_000);
    await output('docker service scale --detach=false dtr-backup=0');
    const archives = await archivesIn('scheduled');
    // One day, of which the newest stays.
    expect(archives.length).toBeGreaterThan(0);
    expect(archives.every(({ state }) => state === 'complete' || state === 'leftover')).toBe(true);
    expect(pings).toContain('GET /some-check/start');
    const logs = await shell('docker service logs --raw dtr-backup').ended();
    expect(`${logs.stdout.toString()}${logs.stderr}`).toMatch(/daily \d{4}-\d\d-\d\d/);
    const complete = archives.filter(({ state }) => state === 'complete');
    for (const { path } of complete) expect(await job(`verify s3://${bucket}/${path}`)).toContain('whole');
  });
});

(isSkipped ? describe.skip : describe)('backup-everything.sh', () => {
  // The metadata of this world is made up and names other images than its storage has; halves that fit have their tests in
  // test/integration/images.
  test('stores both halves, verified, and ends with 9 where they do not fit', async () => {
    const call = `docs/pipelines/backup-everything.sh ${ucp} admin ${replicaId} s3://${bucket}/whole`;
    const { exitCode, stderr } = await shell(call, env).ended();
    expect(`${exitCode ?? ''} ${stderr}`).toMatch(/^9 [^]*does not fit s3:\/\/backups\/whole\/metadata-/);
    expect((await archivesIn('whole')).map(({ state }) => state)).toEqual(['complete', 'complete']);
  });

  test('ends with the exit code of the half that fails, and leaves nothing of it', async () => {
    const call = `docs/pipelines/backup-everything.sh ${ucp} admin ${replicaId} s3://${bucket}/failed`;
    expect((await shell(call, { ...env, UCP_PASSWORD: 'wrong' }).ended()).exitCode).toBe(3);
    expect(await archivesIn('failed')).toEqual([]);
  });
});
