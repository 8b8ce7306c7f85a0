/**
 * Archives changed at random, bare, gzipped, with zstd and encrypted, through `verify`, `inspect` and `restore --dry-run`:
 * no bug, no hang, no memory without bound, and none called whole that GNU tar unpacks to anything but what was backed up.
 * FUZZ_RUNS=5000 for more than the usual; FUZZ_SEED=… FUZZ_RUNS=1 for one again.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isAvailable } from '#src/archive/envelope/compression.js';
import { mutateBytes, Random, type Mutant } from '../../support/archive/byte-mutations.js';
import { gnupg24Message, literal, mdcMessage } from '../../support/archive/packets.js';
import { mutateTar } from '../../support/archive/tar-mutations.js';
import { makeArchive, sampleCertificates, sampleJournal } from '../../support/archive/sample.js';
import { passphrase, unwrapBytes, wrapBytes } from '../../support/archive/wrapped.js';
import { archiveDirectory } from '../../support/image-archive.js';
import type { Ended } from '../../support/command.js';
import { runProgram } from '../../support/program.js';
import { fillRegistryTree } from '../../support/registry-tree.js';
import { startReqlServer, type ReqlServer } from '../../support/replica/reql-server.js';
import { restoreFlags } from '../../support/restoring.js';
import { scaled } from '../../support/scale.js';

const { FUZZ_RUNS = scaled(40, 2000), FUZZ_SEED = '1' } = process.env;
const runs = Number(FUZZ_RUNS);
const firstSeed = Number(FUZZ_SEED);

/** Of one command on one mutant: a machine with other work takes ten times what it needs. */
const mostMs = 20_000;
const mostBytesMore = 500_000_000;

const hasTar = spawnSync('tar', ['--version'], { encoding: 'utf8' }).stdout.includes('GNU tar');
const directory = mkdtempSync(join(tmpdir(), 'fuzz-'));

/** Around a tar; none takes a millisecond to try a passphrase. */
const wrappings: readonly [Wrap, ...Wrap[]] = [
  ['bare', (tar) => tar],
  ['gzip', (tar) => gzipSync(tar, { level: 1 })],
  ['OpenPGP', (tar) => mdcMessage(literal(tar))],
  ['OpenPGP of GnuPG 2.4', (tar) => gnupg24Message(literal(tar), 8)],
  ['gzip in OpenPGP', (tar) => mdcMessage(literal(gzipSync(tar, { level: 1 })))],
  ...(isAvailable('zstd') ? ([['zstd', (tar: Buffer) => wrapBytes(tar, { compression: 'zstd' })]] as const) : []),
];
type Wrap = readonly [string, (tar: Buffer) => Buffer | Promise<Buffer>];

let server: ReqlServer;
let archives: readonly [Sample, ...Sample[]];
interface Sample {
  readonly name: string;
  readonly tar: Buffer;
  /** What GNU tar unpacks from it. */
  readonly tree: readonly string[];
}

beforeAll(async () => {
  server = await startReqlServer();
  const storage = join(directory, 'storage');
  fillRegistryTree(storage, { smallBlobs: 3, largeBlobBytes: 3000 });
  const sample = (name: string, tar: Buffer): Sample => ({ name, tar, tree: unpacked(tar) });
  archives = [
    sample('metadata', await makeArchive(sampleJournal, { certificates: sampleCertificates })),
    sample('images', await archiveDirectory(storage)),
  ];
  process.stderr.write(`fuzz: seeds ${firstSeed} to ${firstSeed + runs - 1} (FUZZ_SEED, FUZZ_RUNS)\n`);
  if (!isAvailable('zstd')) process.stderr.write('SKIPPED for want of a Node with zstd: mutants of archives in zstd\n');
  if (!hasTar) process.stderr.write('SKIPPED for want of GNU tar: what it unpacks from the accepted mutants\n');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

test(
  `${runs} mutants are refused, or what they were made of`,
  async () => {
    const before = process.memoryUsage().rss;
    const wrong: string[] = [];
    const tell = (fault: string): void => {
      wrong.push(fault);
      process.stderr.write(`fuzz: ${fault}\n`);
    };
    let accepted = 0;
    for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
      const { sample, mutant } = await mutantOf(seed);
      for (const args of [['verify'], ['inspect'], [...restoreFlags(server), '--dry-run']]) {
        const started = performance.now();
        const ended = await runProgram(args, {
          stdin: mutant.bytes,
          env: { BACKUP_PASSPHRASE: passphrase.reveal() },
        });
        const ms = performance.now() - started;
        const fault = faultOf(args[0] ?? '', ended, ms);
        if (fault !== undefined) tell(`seed ${seed}, ${mutant.how}: ${fault}`);
        if (args[0] !== 'verify' || ended.exitCode !== 0 || !hasTar) continue;
        accepted += 1;
        const difference = await differenceOf(mutant.bytes, sample);
        if (difference !== undefined) tell(`seed ${seed}, ${mutant.how}: verify accepts it, and ${difference}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(accepted).toBeLessThan(runs / 2 + 2);
    expect(process.memoryUsage().rss - before).toBeLessThan(mostBytesMore);
  },
  Math.max(240_000, runs * 1000),
);

/** Changed inside what is around it, or that itself. */
async function mutantOf(seed: number): Promise<{ readonly sample: Sample; readonly mutant: Mutant }> {
  const random = new Random(seed);
  const sample = random.pick(archives);
  const [name, wrap] = random.pick(wrappings);
  const about = `${sample.name}, ${name}`;
  if (random.below(3) > 0 || name === 'bare') {
    const { how, bytes } = mutateTar(sample.tar, random);
    return { sample, mutant: { how: `${about}: ${how}, inside`, bytes: await wrap(bytes) } };
  }
  const { how, bytes } = mutateBytes(await wrap(sample.tar), random);
  return { sample, mutant: { how: `${about}: ${how}`, bytes } };
}

/** Invalid, not to be opened with these keys, or refused by restore (images among others); never a bug. */
function faultOf(command: string, { exitCode, stderr }: Ended, ms: number): string | undefined {
  const good = command === 'restore' ? [0, 2, 9, 10] : [0, 2, 9];
  if (exitCode === null || !good.includes(exitCode)) return `${command} ends with ${exitCode}: ${stderr.slice(0, 500)}`;
  return ms > mostMs ? `${command} takes ${Math.round(ms)} ms` : undefined;
}

async function differenceOf(bytes: Buffer, { tree }: Sample): Promise<string | undefined> {
  const found = unpacked(await unwrapBytes(bytes, { passphrase }));
  const more = found.filter((line) => !tree.includes(line));
  const fewer = tree.filter((line) => !found.includes(line));
  if (more.length + fewer.length === 0) return undefined;
  return `GNU tar unpacks ${JSON.stringify(more.slice(0, 3))} instead of ${JSON.stringify(fewer.slice(0, 3))}`;
}

/** A line for each file that GNU tar makes: its kind, its path, and what is in it. */
function unpacked(tar: Buffer): string[] {
  const target = join(directory, 'unpacked');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  spawnSync('tar', ['-xf', '-', '-C', target], { input: tar });
  const lines: string[] = [];
  for (const path of readdirSync(target, { recursive: true, encoding: 'utf8' }).sort()) {
    const stats = lstatSync(join(target, path));
    if (stats.isSymbolicLink()) lines.push(`link ${path} ${readlinkSync(join(target, path))}`);
    else if (stats.isFile()) lines.push(`file ${path} ${hashOf(readFileSync(join(target, path)))}`);
    else lines.push(`${stats.isDirectory() ? 'directory' : 'other'} ${path}`);
  }
  return lines;
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
