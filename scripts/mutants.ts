/**
 * `npm run mutants`: takes each check of `verify` out in turn, in a copy of what was built, and runs the tests of the
 * archive on it. A mutant that no test notices is a check that nothing holds: exit code 1.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { runAsync } from './run-async.js';

interface Mutant {
  readonly check: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const { values: flags } = parseArgs({ options: { only: { type: 'string', default: '' } } });

const mutants: readonly Mutant[] = [
  {
    check: 'a document is a JSON object',
    file: 'entries-check.js',
    from: 'if (fault !== undefined)',
    to: 'if (false)',
  },
  {
    check: 'entries match the manifest',
    file: 'manifest-check.js',
    from: 'if (found[member] === value)',
    to: 'if (true)',
  },
  {
    check: 'every table of the manifest is there',
    file: 'manifest-check.js',
    from: 'if (check === undefined)',
    to: 'if (false)',
  },
  {
    check: 'the manifest is that of the plan',
    file: 'manifest-check.js',
    from: 'if (manifest.planChecksum !== seen.planChecksum)',
    to: 'if (false)',
  },
  {
    check: 'plan and manifest name the same tables',
    file: 'manifest-check.js',
    from: "if (directories.join('\\n') !==",
    to: "if (false && directories.join('\\n') !==",
  },
  {
    check: 'no certificate is there that the manifest does not name',
    file: 'manifest-check.js',
    from: 'if (!expected.has(path))',
    to: 'if (false)',
  },
  {
    check: 'a scan has no changes',
    file: 'manifest-check.js',
    from: "if (plan.consistency === 'scan' && table.changes.count > 0)",
    to: 'if (false)',
  },
  {
    check: 'a manifest is there',
    file: 'verifier.js',
    from: 'if (!isForeign && this.findings.count === 0)',
    to: 'if (false)',
  },
  {
    check: 'primary keys are there',
    file: 'primary-keys.js',
    from: 'if (!Object.hasOwn(document, this.#name))',
    to: 'if (false)',
  },
  { check: 'primary keys are in order', file: 'primary-keys.js', from: 'if (order === 0)', to: 'if (false)' },
  {
    check: 'the root is that of the plan',
    file: 'own-reader.js',
    from: "if (layout.root(this.root ?? '') !== root)",
    to: 'if (false)',
  },
  {
    check: 'the plan is one that an archive can have',
    file: 'own-reader.js',
    from: 'planFaults(plan)',
    to: '[]',
  },
  { check: 'what is there is in the plan', file: 'format-rules.js', from: 'if (!isKnown)', to: 'if (false)' },
  {
    check: 'entries stand in their order',
    file: 'format-rules.js',
    from: 'else if (isMisplaced)',
    to: 'else if (false)',
  },
  {
    check: 'files have the time of the backup',
    file: 'format-rules.js',
    from: "if (kind === 'file' && mtimeSeconds !== this.#startSeconds)",
    to: 'if (false)',
  },
  {
    check: 'headers are ours',
    file: 'format-rules.js',
    from: "if (!isOwn || (isExtended && place?.kind !== 'certificate'))",
    to: 'if (false)',
  },
  { check: 'padding is zero', file: 'tar-entries.js', from: 'if (!isZeroPadding(', to: 'if (false && !isZeroPadding(' },
  {
    check: 'a header has its checksum',
    file: 'tar-header.js',
    from: 'Number.parseInt(checksum, 8) !== checksumOf(block)',
    to: 'false',
  },
  { check: 'nothing follows the end', file: 'own-reader.js', from: 'if (bytes > 0)', to: 'if (false)' },
  {
    check: 'entries are numbered 0, 1, 2',
    file: 'own-reader.js',
    from: 'if (place.number !== sequence.next)',
    to: 'if (false)',
  },
];

const copy = mkdtempSync(join(tmpdir(), 'dtr-backup-mutants-'));
let survivors = 0;
try {
  for (const part of ['dist', 'build', 'test', 'src', 'package.json', 'jest.config.mjs'])
    cpSync(part, join(copy, part), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'));
  const chosen = mutants.filter(({ check }) => check.includes(flags.only));
  if (chosen.length === 0) throw new Error(`no check is called "${flags.only}"`);
  if (!(await testsPass()))
    throw new Error('the tests fail without a mutant: nothing would be shown by that they fail with one');
  for (const mutant of chosen) await tryMutant(mutant);
} finally {
  rmSync(copy, { recursive: true });
}
console.log(survivors === 0 ? 'Every mutant was noticed' : `${survivors} mutants survived`);
process.exitCode = survivors === 0 ? 0 : 1;

async function tryMutant({ check, file, from, to }: Mutant): Promise<void> {
  const path = pathOf(file);
  const original = readFileSync(path, 'utf8');
  if (original.split(from).length !== 2) throw new Error(`${file} does not hold this once: ${from}`);
  writeFileSync(path, original.replace(from, to));
  const survived = await testsPass();
  writeFileSync(path, original);
  if (survived) survivors += 1;
  console.log(`${survived ? 'SURVIVED' : 'noticed '} ${check}`);
}

async function testsPass(): Promise<boolean> {
  const jest = [
    '--experimental-vm-modules',
    'node_modules/jest/bin/jest.js',
    '--bail',
    'integration/archive/(tampering|alterations|disagreement|hostile|reader)',
  ];
  // A group of its own: a mutant may leave a worker of Jest in a loop without an end.
  const options = { cwd: copy, stdio: 'ignore', detached: true, timeout: 600_000 } as const;
  const status = await runAsync(process.execPath, jest, options);
  if (status === null) throw new Error('the tests did not end, or were ended by a signal');
  return status === 0;
}

function pathOf(file: string): string {
  const found = readdirSync(join(copy, 'dist/archive'), { recursive: true, encoding: 'utf8' });
  const [path, ...others] = found.filter((one) => basename(one) === file);
  // What an earlier build left behind is under test no more.
  if (path === undefined || others.length > 0) throw new Error(`dist/archive must hold one ${file}: build it afresh`);
  return join(copy, 'dist/archive', path);
}
