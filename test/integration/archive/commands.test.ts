/** `verify` and `inspect` as an operator runs them: exit codes, one line for each fault, pipes, and never a stack. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { makeArchive, sampleCertificates, sampleRoot } from '../../support/archive/sample.js';
import { foreignTar } from '../../support/archive/tar-blocks.js';

const main = fileURLToPath(new URL('../../../../dist/main.js', import.meta.url));
let directory: string;
let archive: Buffer;
const path = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'verify-'));
  archive = await makeArchive(undefined, { certificates: sampleCertificates });
  const damaged = Buffer.from(archive);
  damaged[3000] = 0x78;
  writeFileSync(path('good.tar'), archive);
  writeFileSync(path('good.tar.gz'), gzipSync(archive));
  writeFileSync(path('damaged.tar'), damaged);
  writeFileSync(path('cut.tar'), archive.subarray(0, 5000));
  writeFileSync(path('empty.tar'), '');
  const foreign = await foreignTar([[{ name: 'dtr-backup-v2.7.5/rethink/properties/0' }, '{"key":"a"}']]);
  writeFileSync(path('foreign.tar'), foreign);
});
afterAll(() => rmSync(directory, { recursive: true }));

function run(
  args: readonly string[],
  input: Buffer | '' = '',
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    input,
    encoding: 'utf8',
    cwd: directory,
    timeout: 30_000,
  });
  expect(stderr).not.toMatch(/^\s+at |This is a bug/m);
  return { status, stdout, stderr };
}

describe('verify', () => {
  const whole = `${sampleRoot}/: whole and unaltered: 5 documents in 3 tables, 2 certificate files, primary keys unique\n`;

  test('proves a good archive, from a file and from stdin, gzipped or not', () => {
    const expected = { status: 0, stdout: whole, stderr: '' };
    expect(run(['verify', 'good.tar'])).toEqual(expected);
    expect(run(['verify', 'good.tar.gz'])).toEqual(expected);
    expect(run(['verify', '-'], archive)).toEqual(expected);
    expect(run(['verify'], archive)).toEqual(expected);
  });

  test.each(['damaged.tar', 'cut.tar', 'empty.tar'])(
    'refuses %s in one line on stderr, with its findings on stdout',
    (name) => {
      const { status, stdout, stderr } = run(['verify', name]);
      expect(status).toBe(9);
      expect(stderr).toMatch(new RegExp(`^FATA\\[\\d+\\] ${name} is invalid: \\d+ findings?\\n$`));
      expect(stdout).toMatch(/^(.+: .+\n)+$/);
    },
  );

  test('tells programs the same in JSON', () => {
    const good = run(['verify', '--json', 'good.tar']);
    expect(JSON.parse(good.stdout)).toMatchObject({ state: 'whole', documentCount: 5, findings: [] });
    const cut = run(['verify', 'cut.tar', '--json']);
    expect(cut.status).toBe(9);
    expect(JSON.parse(cut.stdout)).toMatchObject({ state: 'invalid', findingCount: 1, findings: [{}] });
  });

  test('accepts a foreign archive only when told to', () => {
    const refused = run(['verify', 'foreign.tar']);
    expect(refused.status).toBe(9);
    expect(refused.stderr).toContain('foreign.tar has no manifest: completeness cannot be proved');
    const accepted = run(['verify', '--allow-unproven', 'foreign.tar']);
    expect(accepted).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^WARN\[\d+\] foreign\.tar has no manifest/m),
    });
    expect(run(['verify', '--allow-unproven', 'cut.tar']).status).toBe(9);
  });

  test.each([
    ['a missing file', ['verify', 'none.tar'], 'no such file'],
    ['a directory', ['verify', '.'], 'it is a directory'],
    ['an empty name', ['verify', ''], 'no such file'],
    ['two files', ['verify', 'good.tar', 'cut.tar'], 'too many arguments'],
  ])('%s is a fault of the call', (_what, args, reason) => {
    const { status, stdout, stderr } = run(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr.split('\n')[0]).toContain(reason);
  });

  test('reads stdin to its end after a finding, so that tee writes its copy whole', () => {
    const text = 'this is no tar\n'.repeat(1_000_000);
    writeFileSync(path('text'), text);
    const shell = `tee copy < text | '${process.execPath}' '${main}' verify -; echo "\${PIPESTATUS[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', shell], { cwd: directory, encoding: 'utf8', timeout: 30_000 });
    expect(stdout).toBe('the archive: is not a tar\n0 9\n');
    expect(stderr).not.toContain('    at ');
    expect(readFileSync(path('copy'), 'utf8')).toBe(text);
  });

  test('a closed stdout does not change the verdict', () => {
    const shell = `set -o pipefail; '${process.execPath}' '${main}' verify damaged.tar | true`;
    const { status, stderr } = spawnSync('bash', ['-c', shell], { cwd: directory, encoding: 'utf8', timeout: 30_000 });
    expect(status).toBe(9);
    expect(stderr).not.toContain('    at ');
  });

  test('ends on SIGTERM while it waits for stdin', async () => {
    const child = spawn(process.execPath, [main, 'verify', '-', '--debug'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = new Promise((resolve) => child.on('exit', resolve));
    // More than a pipe holds: once all of it is taken, the program reads and waits for more.
    await new Promise((resolve) => child.stdin.write(Buffer.alloc(1_000_000, archive.subarray(0, 512)), resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
    expect(stderr).toMatch(/^FATA\[\d+\] terminated by SIGTERM.*\n$/);
  });
});

describe('inspect', () => {
  test('shows what is inside', () => {
    const { status, stdout, stderr } = run(['inspect', 'good.tar']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`archive      ${sampleRoot}/\nDTR version  2.9.4\n`);
    expect(stdout).toMatch(/^dtr2\.tags +3 +99 B +37 B$/m);
    expect(stdout).toMatch(/^tags +3\nsigned collections +1$/m);
    expect(stdout).toMatch(/^notary\/schlüssel\.pem +31 B +private key$/m);
  });

  test('tells programs the same in JSON', () => {
    expect(JSON.parse(run(['inspect', '--json'], archive).stdout)).toMatchObject({
      root: sampleRoot,
      manifest: { dtrVersion: '2.9.4' },
      tables: [{ name: 'empty' }, { name: 'tags', documentCount: 3 }, { name: 'tuf_files', documentCount: 2 }],
      totals: { tags: 3, signedCollections: 1 },
    });
  });

  test('shows what can be known of a foreign archive', () => {
    const { status, stdout } = run(['inspect', 'foreign.tar']);
    expect(status).toBe(0);
    expect(stdout).toContain('manifest  none: completeness cannot be proved\n');
    expect(stdout).toMatch(/^properties +1 +11 B +11 B$/m);
  });

  test('of what is no sound archive ends in a failure', () => {
    const { status, stderr } = run(['inspect', 'cut.tar']);
    expect(status).toBe(9);
    expect(stderr).toMatch(/^FATA\[\d+\] cut\.tar is not a sound archive: verify says what is wrong with it\n$/);
  });
});
