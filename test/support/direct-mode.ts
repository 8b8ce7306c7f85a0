/** The flags that take the program straight to a ReQL server, and one line on which server the tests use. */
import type { ReqlServer } from './replica/reql-server.js';

export function directFlags({ host, port }: { readonly host: string; readonly port: number }): string[] {
  return ['backup', '--rethinkdb-addr', `${host}:${port}`, '--rethinkdb-plaintext', '--dtr-version', '2.5.3'];
}

/** Says which server a suite ran on, and what that leaves out. */
export function announceServer({ kind, version, hasWriteHooks }: ReqlServer): void {
  const skipped = [
    ...(kind === 'reqlite' ? ['system tables', 'table configuration'] : []),
    ...(hasWriteHooks ? [] : ['write hooks']),
  ].join(', ');
  process.stderr.write(`ReQL server: ${kind} ${version}${skipped === '' ? '' : `; SKIPPED for it: ${skipped}`}\n`);
}
