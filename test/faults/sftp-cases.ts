/** The rows of the matrix about archives on an SFTP server: the whole program against OpenSSH. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ended } from '../support/command.js';
import { startLocalServer } from '../support/local-server.js';
import { Program } from '../support/program.js';
import { hasSshServer, makeKeys, startSshServer, knownHostsLine, type SshServer } from '../support/store/ssh-server.js';
import { startTcpProxy, type ProxyOptions } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';
import { backupFlags, type ArchiveVerdict, type FaultCase, type FaultContext } from './fault-case.js';

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const name = 'b.tar';

interface Run {
  readonly context: FaultContext;
  readonly ssh: SshServer;
  readonly endpoint?: Endpoint;
  readonly flags?: readonly string[];
}

function backup({ context, ssh, endpoint = ssh, flags = ['--ssh-fingerprint', ssh.fingerprint] }: Run): Program {
  const place = `sftp://${ssh.user}@${endpoint.host}:${endpoint.port}${ssh.directory}/${name}`;
  const env = { DTR_SFTP_KEY: ssh.privateKey };
  return new Program(backupFlags(context.server, ['--no-encrypt', '--output', place, ...flags]), { env });
}

/** The file under its final name stands in for stdout. Throws where a .part is left. */
function judged(ended: Ended, { directory }: SshServer, mayLeavePart = false): Ended {
  const parts = readdirSync(directory).filter((entry) => entry.endsWith('.part'));
  if (parts.length > 0 && !mayLeavePart) throw new Error(`${parts.join()} is left`);
  if (ended.stderr.includes('PRIVATE KEY')) throw new Error('the key was printed');
  const path = join(directory, name);
  return { ...ended, stdout: existsSync(path) ? readFileSync(path) : Buffer.alloc(0) };
}

interface End {
  readonly exitCode: number;
  readonly says?: RegExp;
  readonly verdict?: ArchiveVerdict;
}

function sftpCase(fault: string, end: End, run: (context: FaultContext, ssh: SshServer) => Promise<Ended>): FaultCase {
  const { exitCode, says, verdict = 'nothing' } = end;
  return {
    area: 'SFTP',
    ...{ fault, exitCode, verdict },
    ...(says !== undefined && { says }),
    run: async (context) => {
      await using ssh = await startSshServer();
      return await run(context, ssh);
    },
  };
}

const throughProxy =
  (options: ProxyOptions, mayLeavePart = false) =>
  async (context: FaultContext, ssh: SshServer): Promise<Ended> => {
    await using endpoint = await startTcpProxy(ssh, options);
    return judged(await backup({ context, ssh, endpoint }).ended(), ssh, mayLeavePart);
  };

const withFlags =
  (flagsFor: (ssh: SshServer) => readonly string[]) =>
  async (context: FaultContext, ssh: SshServer): Promise<Ended> =>
    judged(await backup({ context, ssh, flags: flagsFor(ssh) }).ended(), ssh);

/** Kills the program once a .part has some bytes. */
async function killed(context: FaultContext, ssh: SshServer, signal: 'SIGTERM' | 'SIGKILL'): Promise<Ended> {
  const program = backup({ context, ssh });
  const ended = program.ended();
  await until('a .part is there', () => readdirSync(ssh.directory).some((entry) => entry.endsWith('.part')));
  program.child.kill(signal);
  return judged(await ended, ssh, signal === 'SIGKILL');
}

function otherKnownHosts({ directory, port }: SshServer): string {
  const path = join(directory, 'known_hosts');
  writeFileSync(path, knownHostsLine(makeKeys(), 'ed25519', port));
  return path;
}

const cases: readonly FaultCase[] = [
  sftpCase('nothing goes wrong, and --verify reads it back', { exitCode: 0, verdict: 'whole' }, (context, ssh) =>
    withFlags(({ fingerprint }) => ['--verify', '--ssh-fingerprint', fingerprint])(context, ssh),
  ),
  sftpCase(
    'neither a fingerprint nor known_hosts is given',
    { exitCode: 8, says: /--ssh-known-hosts/ },
    withFlags(() => []),
  ),
  sftpCase(
    'the key of the host has changed',
    { exitCode: 8, says: /SHA256:/ },
    withFlags((ssh) => ['--ssh-known-hosts', otherKnownHosts(ssh)]),
  ),
  sftpCase(
    'the fingerprint is that of another key',
    { exitCode: 8, says: /SHA256:/ },
    withFlags(() => ['--ssh-fingerprint', `SHA256:${'A'.repeat(42)}E`]),
  ),
  sftpCase('the user may not sign in', { exitCode: 8, says: /--sftp-key/ }, async (context, ssh) => {
    await using other = await startSshServer();
    const flags = ['--ssh-fingerprint', ssh.fingerprint];
    return judged(await backup({ context, ssh: { ...ssh, privateKey: other.privateKey }, flags }).ended(), ssh);
  }),
  sftpCase('the server is something else than SSH', { exitCode: 8 }, async (context, ssh) => {
    await using endpoint = await startLocalServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    return judged(await backup({ context, ssh, endpoint }).ended(), ssh);
  }),
  sftpCase('nobody listens', { exitCode: 8, says: /refused|listens/ }, async (context, ssh) => {
    const endpoint = await startTcpProxy(ssh);
    const { host, port } = endpoint;
    await endpoint[Symbol.asyncDispose]();
    return judged(await backup({ context, ssh, endpoint: { host, port } }).ended(), ssh);
  }),
  sftpCase(
    'the connection is cut in mid-upload, twice',
    { exitCode: 0, verdict: 'whole' },
    throughProxy({ cutAfterBytes: [8000, 8000] }),
  ),
  sftpCase(
    'the connection is cut in mid-upload and never comes back: a .part is left',
    { exitCode: 8, says: /connection is lost|did not answer|SSH/ },
    throughProxy({ cutAfterBytes: [8000, ...Array<number>(200).fill(0)] }, true),
  ),
  sftpCase(
    'the server closes its side in the middle of every connection',
    { exitCode: 8, says: /the server closed it/ },
    throughProxy({ stopAfterBytes: { bytes: 8000, how: 'half-close' } }),
  ),
  sftpCase(
    'a file of this name is there, and stays',
    { exitCode: 8, says: /b\.tar/, verdict: 'refused' },
    (context, ssh) => {
      writeFileSync(join(ssh.directory, name), 'precious');
      return withFlags(({ fingerprint }) => ['--ssh-fingerprint', fingerprint])(context, ssh);
    },
  ),
  sftpCase('the name is that of a directory', { exitCode: 8, says: /is a directory/ }, async (context, ssh) => {
    mkdirSync(join(ssh.directory, name));
    const ended = await backup({ context, ssh, flags: ['--ssh-fingerprint', ssh.fingerprint, '--force'] }).ended();
    return { ...ended, stdout: Buffer.alloc(0) };
  }),
  sftpCase('the directory is not there', { exitCode: 8, says: /no such/ }, async (context, ssh) => {
    const gone = { ...ssh, directory: join(ssh.directory, 'none') };
    return judged(await backup({ context, ssh: gone }).ended(), ssh);
  }),
  sftpCase('the server gives no SFTP', { exitCode: 8 }, async (context) => {
    await using ssh = await startSshServer({ config: ['ForceCommand /bin/false'] });
    return judged(await backup({ context, ssh }).ended(), ssh);
  }),
  sftpCase('the .part is moved away in mid-upload', { exitCode: 8 }, async (context, ssh) => {
    await using endpoint = await startTcpProxy(ssh, { holdAfterBytes: 3_000_000 });
    const ended = backup({ context, ssh, endpoint }).ended();
    const part = (): string | undefined => readdirSync(ssh.directory).find((entry) => entry.endsWith('.part'));
    await until('a .part is there', () => part() !== undefined);
    renameSync(join(ssh.directory, part() ?? ''), join(ssh.directory, 'elsewhere'));
    endpoint.release();
    return judged(await ended, ssh);
  }),
  sftpCase('SIGTERM in mid-upload: the .part is removed', { exitCode: 143 }, (context, ssh) =>
    killed(context, ssh, 'SIGTERM'),
  ),
  {
    ...sftpCase('SIGKILL in mid-upload: a .part is left', { exitCode: 0 }, (context, ssh) =>
      killed(context, ssh, 'SIGKILL'),
    ),
    exitCode: 'SIGKILL',
  },
];

export const sftpCases: readonly FaultCase[] = hasSshServer() ? cases : [];
