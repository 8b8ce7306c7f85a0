/** The rows of the matrix about passwords, certificates, and whom they are shown to. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ended } from '../support/command.js';
import { ucpPassword } from '../support/embedded-dtr.js';
import { Program, runProgram } from '../support/program.js';
import { startScriptedServer } from '../support/replica/scripted-server.js';
import type { Fault } from '../support/ucp/faults.js';
import { startUcpStandIn } from '../support/ucp/stand-in.js';
import { backupFlags, type FaultCase } from './fault-case.js';

const env = { UCP_PASSWORD: ucpPassword };
const ucpFlags = (url: string): string[] => ['backup', '--ucp-url', url, '--ucp-username', 'admin'];

/** A call of a stand-in whose certificate nobody here knows, with this `.env` in the working directory. */
async function runWithDotenv(directory: string, dotenv: (url: string) => string, named: boolean): Promise<Ended> {
  await using ucp = await startUcpStandIn({ username: 'admin', password: ucpPassword });
  const file = join(directory, '.env');
  writeFileSync(file, dotenv(ucp.url));
  const flags = ucpFlags(ucp.url).slice(named ? 0 : 3);
  const ended = await runProgram(named ? flags : ['backup', ...flags], { env, cwd: directory });
  if (ucp.calls.length > 0) throw new Error(`UCP was asked: ${JSON.stringify(ucp.calls)}`);
  return ended;
}

/** The stand-in answers like this, and then no secret may be on stderr. */
async function runAgainst(fault: Fault): Promise<Ended> {
  await using ucp = await startUcpStandIn({ username: 'admin', password: ucpPassword });
  ucp.faults.add({ on: /./, fault });
  const ended = await runProgram([...ucpFlags(ucp.url), '--ucp-ca', ucp.caPem, '--debug'], { env });
  if (ended.stderr.includes(ucpPassword)) throw new Error('the password is on stderr');
  return ended;
}

export const trustCases: readonly FaultCase[] = [
  {
    area: 'trust',
    fault: '.env turns the check of UCP’s certificate off',
    exitCode: 2,
    says: /UCP_INSECURE_TLS in \.env is refused/,
    verdict: 'nothing',
    leftBehind: ['.env'],
    run: ({ directory }) => runWithDotenv(directory, () => 'UCP_INSECURE_TLS=1\n', true),
  },
  {
    area: 'trust',
    fault: '.env names another UCP for the password of the environment',
    exitCode: 2,
    says: /--ucp-url \(UCP_URL\) is not sent to an address from \.env/,
    verdict: 'nothing',
    leftBehind: ['.env'],
    run: ({ directory }) => runWithDotenv(directory, (url) => `UCP_URL=${url}\n`, false),
  },
  {
    area: 'trust',
    fault: 'UCP echoes the password in its refusal',
    exitCode: 3,
    says: /refused user admin or the password \(401\)$/,
    verdict: 'nothing',
    run: () => runAgainst({ kind: 'echo', status: 401 }),
  },
  {
    area: 'trust',
    fault: 'SIGTERM after signing in to UCP: the session is signed out',
    exitCode: 143,
    verdict: 'nothing',
    run: async () => {
      await using ucp = await startUcpStandIn({ username: 'admin', password: ucpPassword });
      ucp.faults.add({ on: /^GET /, fault: { kind: 'hang' } });
      const program = new Program([...ucpFlags(ucp.url), '--ucp-ca', ucp.caPem], { env });
      await program.waitForLog(/Signed in to UCP/);
      program.child.kill('SIGTERM');
      const ended = await program.ended();
      if (ucp.accounts.openSessions > 0) throw new Error('the session is still open');
      return ended;
    },
  },
  {
    area: 'trust',
    fault: 'a run that fails after signing in to UCP: the session is signed out',
    exitCode: 5,
    verdict: 'nothing',
    run: async () => {
      await using ucp = await startUcpStandIn({ username: 'admin', password: ucpPassword, replicas: [] });
      const ended = await runProgram([...ucpFlags(ucp.url), '--ucp-ca', ucp.caPem], { env });
      if (ucp.accounts.openSessions > 0) throw new Error('the session is still open');
      return ended;
    },
  },
  {
    area: 'trust',
    fault: 'a password is given as a flag, and the list of processes is read (SIGTERM)',
    exitCode: 143,
    verdict: 'nothing',
    run: async () => {
      await using ucp = await startUcpStandIn({ username: 'admin', password: ucpPassword });
      ucp.faults.add({ on: /./, fault: { kind: 'hang' } });
      const program = new Program([...ucpFlags(ucp.url), '--ucp-insecure-tls', '--ucp-password', ucpPassword]);
      await program.waitForLog(/Connecting to UCP/);
      const seen = readFileSync(`/proc/${program.child.pid ?? 0}/cmdline`, 'utf8');
      program.child.kill('SIGTERM');
      const ended = await program.ended();
      if (!seen.startsWith('dtr-backup') || seen.includes(ucpPassword)) throw new Error(`the process shows ${seen}`);
      return ended;
    },
  },
  {
    area: 'trust',
    fault: 'RethinkDB refuses the password',
    exitCode: 7,
    says: /refuses user admin or the password \(Wrong password\)/,
    verdict: 'nothing',
    run: async () => {
      await using server = await startScriptedServer(() => undefined, { user: 'admin', password: 'another' });
      return await runProgram(backupFlags(server), { env: { MSR_RETHINKDB_PASSWORD: 'hunter2' } });
    },
  },
];
