/** The rows of the matrix about what is around an archive: secrets, keys, and archives that others wrapped or mangled. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { generateKey } from 'openpgp';
import { runProgram } from '../support/program.js';
import { aes256, gnupg24Message, literal, mdcMessage, packet, specifier } from '../support/archive/packets.js';
import { makeArchive } from '../support/archive/sample.js';
import { noise, passphrase } from '../support/archive/wrapped.js';
import { backupFlags, type FaultCase } from './fault-case.js';

const env = { BACKUP_PASSPHRASE: passphrase.reveal() };

const secrets: readonly (readonly [string, Buffer, RegExp])[] = [
  ['of random bytes', Buffer.from('8fa0b1c2d3e4f596', 'hex'), /byte 1 of the file it names is not UTF-8/],
  ['in Latin-1', Buffer.from('Gr\xfc\xdfe\n', 'latin1'), /byte 3 of the file it names is not UTF-8/],
  ['of two lines', Buffer.from('first\nsecond\n'), /the file it names has 2 lines/],
];

const secretRows = secrets.map(([fault, content, says]): FaultCase => ({
  area: 'wrapping',
  fault: `the passphrase is in a file ${fault}`,
  exitCode: 2,
  says,
  verdict: 'nothing',
  leftBehind: ['passphrase'],
  run: ({ server, directory }) => {
    const path = join(directory, 'passphrase');
    writeFileSync(path, content);
    return runProgram(backupFlags(server, ['--encrypt']), { env: { BACKUP_PASSPHRASE_FILE: path } });
  },
}));

const keyRow: FaultCase = {
  area: 'wrapping',
  fault: 'one of two keys in the file of --encrypt-to has expired',
  exitCode: 2,
  says: /cannot encrypt to these keys: key [0-9A-F]{40} expired 2020-01-01T01:00:00/,
  verdict: 'nothing',
  run: async ({ server }) => {
    const good = await generateKey({ userIDs: { name: 'good' } });
    const old = await generateKey({
      userIDs: { name: 'old' },
      date: new Date('2020-01-01T00:00:00Z'),
      keyExpirationTime: 3600,
    });
    return runProgram(backupFlags(server, ['--encrypt-to', good.publicKey + old.publicKey]));
  },
};

const costly = Buffer.concat([
  ...Array.from({ length: 100 }, () => packet(3, Buffer.from([4, aes256]), specifier(255), noise(33))),
  packet(18, Buffer.from([1]), noise(1000)),
]);
const zstdOf2Gib = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, ...noise(100)]);

const inputs: readonly (readonly [string, (archive: Buffer) => Buffer, number, RegExp])[] = [
  ['UTF-16 of PowerShell', (tar) => Buffer.from(`\ufeff${tar.toString('latin1')}`, 'utf16le'), 9, /1 finding/],
  [
    'behind two lines of a log',
    (tar) => Buffer.concat([Buffer.from('INFO[0000] a\nINFO[0001] b\n'), tar]),
    9,
    /1 finding/,
  ],
  ['xz', () => Buffer.concat([Buffer.from('fd377a585a0000', 'hex'), noise(1000)]), 9, /1 finding/],
  ['base64', (tar) => Buffer.from(tar.toString('base64')), 9, /1 finding/],
  ['gzip with a text behind it', (tar) => Buffer.concat([gzipSync(tar), Buffer.from('done\n')]), 9, /finding/],
  ['zstd that wants 2 GiB of memory', () => zstdOf2Gib, 2, /128 MiB|use Node 22.15/],
  [
    'encrypted, and there twice',
    (tar) => Buffer.concat([mdcMessage(literal(tar)), mdcMessage(literal(tar))]),
    9,
    /finding/,
  ],
  ['of GnuPG 2.4, and cut', (tar) => gnupg24Message(literal(tar)).subarray(0, -1), 9, /finding/],
  ['encrypted to a hundred passphrases of the largest cost', () => costly, 2, /more than 8 passphrases to try/],
];

const inputRows = inputs.map(([fault, alter, exitCode, says]): FaultCase => ({
  area: 'wrapping',
  fault: `the archive is ${fault}: exit code of verify`,
  exitCode,
  says,
  verdict: 'refused',
  run: async () => {
    const altered = alter(await makeArchive());
    return { ...(await runProgram(['verify', '-'], { stdin: altered, env })), stdout: altered };
  },
}));

export const wrappingCases: readonly FaultCase[] = [...secretRows, keyRow, ...inputRows];
