// A backup the documented way: through UCP, with the certificates of the replica's volumes, over mutual TLS.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { checkArchive } from '../support/archive-check.js';
import { announceServer } from '../support/direct-mode.js';
import { startEmbeddedDtr, ucpPassword, type EmbeddedDtr } from '../support/embedded-dtr.js';
import { expectFailure } from '../support/failure.js';
import { createAuthority } from '../support/pki.js';
import type { Ended } from '../support/command.js';
import { Program, runProgram } from '../support/program.js';
import { seedReplica } from '../support/replica/seed.js';
import type { Fault } from '../support/ucp/faults.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const ownId = 'c0ffee00'.repeat(8);
const foreignCa = createAuthority('Somebody else').certPem;
let dtr: EmbeddedDtr;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  dtr = await startEmbeddedDtr({ ownContainer: { id: ownId, unknownFor: 2 } });
  announceServer(dtr.rethinkdb);
  await seedReplica(dtr.rethinkdb, { repositories: 20, events: 100 }, dtr.identity);
}, 180_000);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await dtr[Symbol.asyncDispose]();
});
afterEach(() => dtr.ucp.faults.clear());

const env = { UCP_PASSWORD: ucpPassword };

function documentedFlags(): string[] {
  const flags = ['--ucp-insecure-tls', '--ucp-username', 'admin', '--existing-replica-id', dtr.replicaId];
  return ['backup', '--ucp-url', dtr.ucp.url, ...flags];
}

/** The same without joining a network: this process runs in no container. */
function flagsWithAddress(patience = '3'): string[] {
  return [...documentedFlags(), '--rethinkdb-addr', `127.0.0.1:${dtr.rethinkdb.port}`, '--connect-timeout', patience];
}

function expectNoSecret({ stderr }: Pick<Ended, 'stderr'>): void {
  for (const secret of [ucpPassword, ...dtr.ucp.accounts.secrets, 'PRIVATE KEY']) expect(stderr).not.toContain(secret);
}

async function expectWholeArchive({ exitCode, stdout, stderr }: Ended): Promise<void> {
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  const archive = await checkArchive(stdout);
  const root = `dtr-backup-v${dtr.version}-online`;
  expect(archive.plan).toMatchObject({
    dtrVersion: dtr.version,
    replicaId: dtr.replicaId,
    leftOut: expect.anything(),
  });
  expect(archive.manifest.tables).toHaveLength(26);
  for (const [volume, files] of Object.entries(dtr.volumes)) {
    for (const [path, content] of files) {
      expect([path, archive.files.get(`${root}/certs/${volume}/${path}`)?.equals(content)]).toEqual([path, true]);
    }
  }
  expect(archive.manifest.certificates).toHaveLength(dtr.volumes.ca.size + dtr.volumes.notary.size);
}

describe('through UCP', () => {
  test('gives a whole archive with the files of both volumes, and verify agrees', async () => {
    const ended = await runProgram(flagsWithAddress(), { env });
    await expectWholeArchive(ended);
    expectNoSecret(ended);
    expect(ended.stderr).not.toContain('overlay network');
    expect((await runProgram(['verify'], { stdin: ended.stdout })).exitCode).toBe(0);
  });

  test('finds the only replica by itself, checks UCP with its CA, and leaves certificates out when told to', async () => {
    const flags = ['backup', '--ucp-url', dtr.ucp.url, '--ucp-username', 'admin', '--ucp-ca', dtr.ucp.caPem];
    const more = ['--rethinkdb-addr', `127.0.0.1:${dtr.rethinkdb.port}`, '--no-certificates', '--consistency', 'scan'];
    const ended = await runProgram([...flags, ...more], { env });
    expect(ended.exitCode).toBe(0);
    const { plan, manifest } = await checkArchive(ended.stdout);
    expect(manifest.certificates).toEqual([]);
    expect(plan.leftOut).toContainEqual({ what: 'certificates', why: '--no-certificates' });
  });

  test('survives a token that expires in the middle', async () => {
    dtr.ucp.faults.add({ on: /^GET \/containers\/.*json/, fault: { kind: 'status', status: 401 }, times: 1 });
    await expectWholeArchive(await runProgram([...flagsWithAddress(), '--consistency', 'scan'], { env }));
  });
});

describe('a fault of UCP', () => {
  test('a wrong password ends with 3', async () => {
    const ended = await runProgram(flagsWithAddress(), { env: { UCP_PASSWORD: 'hunter2-wrong' } });
    expectFailure(ended, 3, 'UCP');
    expect(ended.stderr).not.toContain('hunter2');
  });

  test.each([
    ['an unknown host', 'https://no-such-host.invalid', /no-such-host/],
    ['a refused connection', 'https://127.0.0.1:1', /ECONNREFUSED|refused/],
  ])('%s ends with 4', async (_what, url, message) => {
    const flags = flagsWithAddress('0.3').map((flag) => (flag === dtr.ucp.url ? url : flag));
    expectFailure(await runProgram(flags, { env }), 4, message);
  });

  test('a certificate of a foreign authority ends with 4 and names --ucp-ca', async () => {
    const flags = flagsWithAddress().filter((flag) => flag !== '--ucp-insecure-tls');
    expectFailure(await runProgram(flags, { env }), 4, /--ucp-ca/);
    expectFailure(await runProgram([...flags, '--ucp-ca', foreignCa], { env }), 4, /--ucp-ca/);
  });

  test.each<Fault>([{ kind: 'html' }, { kind: 'body', body: '{"auth_to' }])(
    '%j for JSON ends with 4',
    async (fault) => {
      dtr.ucp.faults.add({ on: /^POST \/auth\/login/, fault });
      expectFailure(await runProgram(flagsWithAddress(), { env }), 4, /UCP/);
    },
  );

  test('a replica that is not there ends with 5 and the list', async () => {
    const flags = flagsWithAddress().map((flag) => (flag === dtr.replicaId ? 'ffffffffffff' : flag));
    expectFailure(await runProgram(flags, { env }), 5, new RegExp(dtr.replicaId));
  });

  test('a replica whose database is stopped ends with 5', async () => {
    const container = dtr.ucp.state.containers.find(({ name }) => name === `dtr-rethinkdb-${dtr.replicaId}`);
    if (container === undefined) throw new Error('no such container');
    container.state = 'exited';
    try {
      expectFailure(await runProgram(flagsWithAddress(), { env }), 5, /exited/);
    } finally {
      container.state = 'running';
    }
  });

  test('a process in no container ends with 6 and what to do', async () => {
    expectFailure(await runProgram(documentedFlags(), { env }), 6, /--rethinkdb-addr/);
  });

  test('a certificate volume cut short ends with 4', async () => {
    dtr.ucp.faults.add({ on: /\/archive/, fault: { kind: 'cut' } });
    expectFailure(await runProgram(flagsWithAddress('0.3'), { env }), 4, /dtr-ca|archive/);
  });
});

describe('RethinkDB over TLS', () => {
  test('with another authority ends with 7', async () => {
    writeFileSync(join(directory, 'ca.pem'), foreignCa);
    const ended = await runProgram([...flagsWithAddress(), '--rethinkdb-ca', join(directory, 'ca.pem')], { env });
    expectFailure(ended, 7, /certificate|self.signed/i);
  });

  test('without a client certificate ends with 7', async () => {
    writeFileSync(join(directory, 'good-ca.pem'), dtr.identity.ca ?? '');
    const direct = ['backup', '--rethinkdb-addr', `127.0.0.1:${dtr.rethinkdb.port}`, '--dtr-version', '2.9.4'];
    const ended = await runProgram([
      ...direct,
      '--rethinkdb-ca',
      join(directory, 'good-ca.pem'),
      '--connect-timeout',
      '0.3',
    ]);
    expectFailure(ended, 7, /RethinkDB at/);
  });
});

/**
 * A name space of our own gives the program a container's host name and the name of the database on the overlay
 * network; everything else is as in a container.
 */
describe('in a container of the cluster', () => {
  const canUnshare = ((): boolean => {
    try {
      execFileSync('unshare', ['--mount', '--uts', 'true'], { stdio: 'ignore' });
      return true;
    } catch {
      process.stderr.write('SKIPPED: no right to make a name space, so joining the network is tried in e2e only\n');
      return false;
    }
  })();
  const when = canUnshare ? test : test.skip;

  async function inContainer<T>(use: (start: () => Program) => Promise<T>): Promise<T> {
    await using relay = await startTcpProxy(dtr.rethinkdb, { host: '127.0.0.77', port: 28015 });
    const hosts = join(directory, 'hosts');
    writeFileSync(hosts, `127.0.0.1 localhost\n127.0.0.77 dtr-rethinkdb-${dtr.replicaId}.dtr-ol\n`);
    const setUp = `hostname ${ownId.slice(0, 12)} && mount --bind ${hosts} /etc/hosts && exec "$0" "$@"`;
    expect(relay.port).toBe(28015);
    dtr.ucp.state.networkChanges.length = 0;
    const wrapper = ['unshare', '--mount', '--uts', 'sh', '-c', setUp];
    return await use(() => new Program(documentedFlags(), { env, wrapper }));
  }

  const changes = (): string[] => dtr.ucp.state.networkChanges.map(({ what, network }) => `${what} ${network}`);

  when('joins dtr-ol, reads the database by its name there, and leaves', async () => {
    const ended = await inContainer((start) => start().ended());
    await expectWholeArchive(ended);
    expectNoSecret(ended);
    expect(ended.stderr).toContain(`Connecting to RethinkDB at dtr-rethinkdb-${dtr.replicaId}.dtr-ol:28015`);
    expect(changes()).toEqual(['joined dtr-ol', 'left dtr-ol']);
  });

  when('after SIGTERM while joining, waits for the answer, leaves, and says so', async () => {
    let joinNow = (): void => undefined;
    const allowed = new Promise<void>((resolve) => (joinNow = resolve));
    dtr.ucp.faults.add({ on: /\/dtr-ol\/connect$/, fault: { kind: 'late', until: allowed }, times: 1 });
    const ended = await inContainer(async (start) => {
      const program = start();
      await until('it joins', () => dtr.ucp.calls.at(-1)?.path.endsWith('/dtr-ol/connect') === true);
      program.child.kill('SIGTERM');
      await program.waitForLog(/Waiting for the answer to joining dtr-ol/);
      joinNow();
      return program.ended();
    });
    expectFailure(ended, 143, /SIGTERM/);
    expect(ended.stderr).toMatch(/INFO\[\d+\] Left overlay network dtr-ol with container c0ffee00c0ff/);
    expect(changes()).toEqual(['joined dtr-ol', 'left dtr-ol']);
  });

  when('leaves dtr-ol after SIGTERM in the middle', async () => {
    const { exitCode } = await inContainer(async (start) => {
      const program = start();
      await program.readThenStall(100_000);
      program.child.kill('SIGTERM');
      return program.ended();
    });
    expect(exitCode).toBe(143);
    expect(changes()).toEqual(['joined dtr-ol', 'left dtr-ol']);
  });

  when('leaves dtr-ol when the database fails', async () => {
    await dtr.rethinkdb.kill();
    const ended = await inContainer(async (start) => {
      const program = start();
      await until('joined', () => dtr.ucp.state.networkChanges.length > 0);
      await program.waitForLog(/Waiting for RethinkDB/);
      program.child.kill('SIGINT');
      return program.ended();
    });
    expectFailure(ended, 130, /SIGINT/);
    expect(changes()).toEqual(['joined dtr-ol', 'left dtr-ol']);
    await dtr.rethinkdb.restart();
  });
});
