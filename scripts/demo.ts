/**
 * `npm run demo`: starts the embedded DTR, runs the real backup against it as a child process, with the documented
 * flags, into dtr-metadata-backup.tar, proves the file with `verify` and shows what is in it.
 */
import { spawnSync, type StdioOptions } from 'node:child_process';
import { closeSync, openSync, renameSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startEmbeddedDtr, ucpPassword } from '../test/support/embedded-dtr.js';
import { seedReplica } from '../test/support/replica/seed.js';
import { runAsync } from './run-async.js';

const file = 'dtr-metadata-backup.tar';
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const say = (text: string): void => console.log(text);

say('Starting the embedded DTR (a UCP stand-in and a ReQL server) and filling it …');
await using dtr = await startEmbeddedDtr();
// A small registry: what is shown of it fits a screen.
await seedReplica(dtr.rethinkdb, { repositories: 2, events: 10 }, dtr.identity);
say(`It runs on ${dtr.rethinkdb.kind} ${dtr.rethinkdb.version}, replica ${dtr.replicaId}, DTR ${dtr.version}.\n`);

const documented = ['--ucp-insecure-tls', '--ucp-username', 'admin', '--existing-replica-id', dtr.replicaId];
// The embedded replica is on no overlay network: its address stands in for dtr-rethinkdb-<id>.dtr-ol:28015.
const address = ['--rethinkdb-addr', `127.0.0.1:${dtr.rethinkdb.port}`];
const args = ['backup', '--ucp-url', dtr.ucp.url, ...documented, ...address];
say(`$ UCP_PASSWORD=… dtr-backup ${args.join(' ')} > ${file}`);
const output = openSync(`${file}.part`, 'w', 0o600);
const env = { PATH: process.env.PATH, UCP_PASSWORD: ucpPassword };
const exitCode = await runAsync(process.execPath, [main, ...args], { env, stdio: ['ignore', output, 'inherit'] });
closeSync(output);
if (exitCode !== 0) throw new Error(`backup ended with exit code ${exitCode}`);
renameSync(`${file}.part`, file);

show('tar', ['-tf', file], 'head', 8);
show(process.execPath, [main, 'verify', file]);
show(process.execPath, [main, 'inspect', file]);
say(`\n${file} is a whole backup.`);

/** Runs a command on the finished file; shows all it prints, or its first lines. */
function show(command: string, commandArgs: string[], mode?: 'head', lines = 0): void {
  const shown = [command === process.execPath ? 'dtr-backup' : command, ...commandArgs.filter((arg) => arg !== main)];
  say(`\n$ ${shown.join(' ')}${mode === 'head' ? ` | head -${lines}` : ''}`);
  const stdio: StdioOptions = ['ignore', 'pipe', 'inherit'];
  const { stdout, status } = spawnSync(command, commandArgs, { encoding: 'utf8', stdio, maxBuffer: 64 * 1024 * 1024 });
  say(mode === 'head' ? stdout.split('\n').slice(0, lines).join('\n') : stdout.trimEnd());
  if (status !== 0) throw new Error(`${command} ended with exit code ${status ?? 'none'}`);
}
