/** The table of test runs in docs/compatibility.md, each row from what a run has counted. */
import { spawnSync } from 'node:child_process';
import { findRethinkdb } from './replica/find-rethinkdb.js';

export interface TestRun {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const end = '<!-- end of test runs -->';

/** The page with a row for this run, in place of that of an earlier one of the same tests with the same tools. */
export function withRun(page: string, { passed, failed, skipped }: TestRun, tools: string, date: Date): string {
  const at = page.indexOf(end);
  if (at < 0) throw new Error(`the page has no line ${end}`);
  const lines = page.slice(0, at).trimEnd().split('\n');
  const rest = lines.filter((line) => !line.startsWith(`| ${tools} |`));
  const row = `| ${tools} | ${passed} | ${failed} | ${skipped} | ${date.toISOString().slice(0, 10)} |`;
  return `${[...rest, row].join('\n')}\n\n${page.slice(at)}`;
}

/** What the tests of this run work with, from what each says of its version; a tool that is missing is left out. */
export function toolsOfRun(): string {
  const { E2E_ENGINE: engine } = process.env;
  const tools = [`Node ${process.versions.node}`];
  if (engine !== undefined) return [`Docker Engine ${engine}`, ...tools].join(', ');
  const binary = findRethinkdb();
  const server = binary === undefined ? 'reqlite' : versionOf('RethinkDB', [binary, '--version'], /rethinkdb ([\d.]+)/);
  return [
    server ?? 'RethinkDB',
    versionOf('GnuPG', ['gpg', '--version'], / ([\d.]+)$/m),
    versionOf('GNU tar', ['tar', '--version'], /\(GNU tar\) ([\d.]+)/),
    versionOf('bsdtar', ['bsdtar', '--version'], /bsdtar ([\d.]+)/),
    ...tools,
  ]
    .filter((tool) => tool !== undefined)
    .join(', ');
}

function versionOf(name: string, [command = '', ...args]: readonly string[], pattern: RegExp): string | undefined {
  const [, version] = pattern.exec(String(spawnSync(command, args).stdout)) ?? [];
  return version === undefined ? undefined : `${name} ${version}`;
}
