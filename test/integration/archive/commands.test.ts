/** `verify` and `inspect` as an operator runs them: exit codes, one line for each fault, pipes, and never a stack. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { makeArchive, sampleCertificates, sampleRoot } from '../../support/archive/sample.js';
import { foreignTar } from '../../support/archive/tar-blocks.js';
import { Program, runProgram } from '../../support/program.js';

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

async function run(
  args: readonly string[],
  stdin?: Buffer,
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await runProgram(args, { stdin });
  expect(stderr).not.toMatch(/^\s+at |This is a bug/m);
  return { exitCode, stdout: stdout.toString(), stderr };
}

/** What a shell that runs `command`, with the program as "$@", prints. */
function runShell(command: string): { stdout: string; stderr: string; exitCode: number | null } {
  const words = ['-c', command, 'bash', process.execPath, main];
  const { status, stdout, stderr } = spawnSync('bash', words, { cwd: directory, encoding: 'utf8', timeout: 30_000 });
  return { stdout, stderr, exitCode: status };
}

describe('verify', () => {
  const whole = `${sampleRoot}/: whole and unaltered: 5 documents in 3 tables, 2 certificate files, primary keys unique\n`;

  test('proves a good archive, from a file and from stdin, gzipped or not', async () => {
    const expected = { exitCode: 0, stdout: whole, stderr: '' };
    expect(await run(['verify', path('good.tar')])).toEqual(expected);
    expect(await run(['verify', path('good.tar.gz')])).toEqual(expected);
    expect(await run(['verify', '-'], archive)).toEqual(expected);
    expect(await run(['verify'], archive)).toEqual(expected);
  });

  test.each(['damaged.tar', 'cut.tar', 'empty.tar'])(
    'refuses %s in one line on stderr, with its findings on stdout',
    async (name) => {
      const { exitCode, stdout, stderr } = await run(['verify', path(name)]);
      expect(exitCode).toBe(9);
      expect(stderr).toMatch(new RegExp(`^FATA\\[\\d+\\] ${path(name)} is invalid: \\d+ findings?\\n$`));
      expect(stdout).toMatch(/^(.+: .+\n)+$/);
    },
  );

  test('tells programs the same in JSON', async () => {
    const good = await run(['verify', '--json', path('good.tar')]);
    expect(JSON.parse(good.stdout)).toMatchObject({ state: 'whole', documentCount: 5, findings: [] });
    const cut = await run(['verify', path('cut.tar'), '--json']);
    expect(cut.exitCode).toBe(9);
    expect(JSON.parse(cut.stdout)).toMatchObject({ state: 'invalid', findingCount: 1, findings: [{}] });
  });

  test('accepts a foreign archive only when told to', async () => {
    const refused = await run(['verify', path('foreign.tar')]);
    expect(refused.exitCode).toBe(9);
    expect(refused.stderr).toContain('foreign.tar has no manifest: completeness cannot be verified');
    const accepted = await run(['verify', '--allow-unproven', path('foreign.tar')]);
    expect(accepted).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^WARN\[\d+\] .*foreign\.tar has no manifest/m),
    });
    expect((await run(['verify', '--allow-unproven', path('cut.tar')])).exitCode).toBe(9);
  });

  test.each([
    ['a missing file', () => [path('none.tar')], 'no such file'],
    ['a directory', () => [directory], 'it is a directory'],
    ['an empty name', () => [''], 'no such file'],
    ['two files', () => [path('good.tar'), path('cut.tar')], 'too many arguments'],
  ])('refuses %s as a usage error', async (_what, files, reason) => {
    const { exitCode, stdout, stderr } = await run(['verify', ...files()]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr.split('\n')[0]).toContain(reason);
  });

  test('reads stdin to its end after a finding, so that tee writes its copy whole', () => {
    const text = 'this is no tar\n'.repeat(100_000);
    writeFileSync(path('text'), text);
    const { stdout, stderr } = runShell('tee copy < text | "$@" verify -; echo "${PIPESTATUS[@]}"');
    expect(stdout).toBe('the archive: is not a tar\n0 9\n');
    expect(stderr).not.toContain('    at ');
    expect(readFileSync(path('copy'), 'utf8')).toBe(text);
  });

  test('a closed stdout does not change the verdict', () => {
    const { exitCode, stderr } = runShell('set -o pipefail; "$@" verify damaged.tar | true');
    expect(exitCode).toBe(9);
    expect(stderr).not.toContain('    at ');
  });

  test('ends on SIGTERM while it waits for stdin', async () => {
    const program = new Program(['verify', '-', '--debug'], { stdin: 'open' });
    const { stdin } = program.child;
    // More than a pipe holds: once all of it is taken, the program reads and waits for more.
    await new Promise((resolve) => stdin?.write(Buffer.alloc(1_000_000, archive.subarray(0, 512)), resolve));
    program.child.kill('SIGTERM');
    const { exitCode, stderr } = await program.ended();
    expect(exitCode).toBe(143);
    expect(stderr).toMatch(/^FATA\[\d+\] terminated by SIGTERM.*\n$/);
  });
});

describe('inspect', () => {
  test('shows what is inside', async () => {
    const { exitCode, stdout, stderr } = await run(['inspect', path('good.tar')]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`archive      ${sampleRoot}/\nDTR version  2.9.4\n`);
    expect(stdout).toMatch(/^dtr2\.tags +3 +99 B +37 B$/m);
    expect(stdout).toMatch(/^tags +3\nsigned collections +1$/m);
    expect(stdout).toMatch(/^notary\/schlüssel\.pem +31 B +private key$/m);
  });

  test('tells programs the same in JSON', async () => {
    expect(JSON.parse((await run(['inspect', '--json'], archive)).stdout)).toMatchObject({
      root: sampleRoot,
      plan: { dtrVersion: '2.9.4' },
      manifest: { tables: [{ directory: 'empty' }, { directory: 'tags' }, { directory: 'tuf_files' }] },
      tables: [{ directory: 'empty' }, { directory: 'tags', documentCount: 3 }, { documentCount: 2 }],
      totals: { tags: 3, signedCollections: 1 },
    });
  });

  test('shows what can be known of a foreign archive', async () => {
    const { exitCode, stdout } = await run(['inspect', path('foreign.tar')]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('manifest  none: completeness cannot be verified\n');
    expect(stdout).toMatch(/^properties +1 +11 B +11 B$/m);
  });

  test('shows what a truncated archive was to be, and ends with 9', async () => {
    const { exitCode, stdout } = await run(['inspect', path('cut.tar')]);
    expect(exitCode).toBe(9);
    expect(stdout).toMatch(/^manifest +none: it is not whole; \d of 3 tables are there$/m);
    expect(stdout).toMatch(/^DTR version +2\.9\.4$/m);
  });

  test('ends with 9 where the archive is not sound', async () => {
    const { exitCode, stderr } = await run(['inspect', path('cut.tar')]);
    expect(exitCode).toBe(9);
    expect(stderr).toMatch(/^FATA\[\d+\] .*cut\.tar is not a sound archive: verify says what is wrong with it\n$/);
  });
});
