// A secret is one line of UTF-8 wherever it comes from; gpg --passphrase-file reads each accepted file the same.
import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '#src/settings/reader.js';
import { Secret } from '#src/base/secret.js';
import type { Setting } from '#src/settings/setting.js';
import { settings } from '#src/settings/settings.js';
import { findGpg, unwrapBytes } from '../../support/archive/wrapped.js';

const gpg = findGpg();
const withGpg = gpg === undefined ? test.skip : test;
const directory = mkdtempSync(join(tmpdir(), 'secrets-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
  gpg?.[Symbol.dispose]();
});

interface Outcome {
  readonly secret: string | undefined;
  readonly faults: readonly string[];
}

function fromFile(bytes: Buffer): Outcome {
  const sources = { flags: {}, env: { BACKUP_PASSPHRASE_FILE: '/p' }, dotenv: undefined, readFile: () => bytes };
  const { values, faults } = readSettings(['passphrase'], sources);
  return { secret: values.passphrase?.reveal(), faults };
}

function fromText(text: string, where: 'flags' | 'env' | 'dotenv'): Outcome {
  const { values, faults } = readSettings(['passphrase'], {
    flags: where === 'flags' ? { passphrase: text } : {},
    env: where === 'env' ? { BACKUP_PASSPHRASE: text } : {},
    dotenv: where === 'dotenv' ? `BACKUP_PASSPHRASE="${text}"\n` : undefined,
    readFile: () => Buffer.alloc(0),
  });
  return { secret: values.passphrase?.reveal(), faults };
}

const accepted: readonly (readonly [string, string, string])[] = [
  ['one line', 'correct horse\n', 'correct horse'],
  ['a line without its newline', 'correct horse', 'correct horse'],
  ['umlauts', 'Grüße\n', 'Grüße'],
  ['spaces and a tab at the ends', ' \tcorrect horse\t \n', ' \tcorrect horse\t '],
  ['U+FFFD itself', 'a\ufffdb\n', 'a\ufffdb'],
  ['300 characters', `${'x'.repeat(300)}\n`, 'x'.repeat(300)],
];

describe('a secret in a file', () => {
  test.each(accepted)('may be %s', (_what, content, secret) => {
    expect(fromFile(Buffer.from(content))).toEqual({ secret, faults: [] });
  });

  withGpg.each(accepted)('of %s is what gpg --passphrase-file reads in it', async (_what, content, secret) => {
    const path = join(directory, 'passphrase');
    writeFileSync(path, content);
    // Of two options of one kind gpg takes the last.
    const encrypted = gpg?.run(['--passphrase-file', path, '--symmetric'], Buffer.from('plain')) ?? Buffer.alloc(0);
    expect((await unwrapBytes(encrypted, { passphrase: new Secret(secret) })).toString()).toBe('plain');
  });

  test.each([
    ['random bytes', Buffer.from('8fa0b1c2d3e4f596', 'hex'), 'byte 1 of the file it names is not UTF-8'],
    ['Latin-1', Buffer.from('Gr\xfc\xdfe\n', 'latin1'), 'byte 3 of the file it names is not UTF-8'],
    ['half a character at its end', Buffer.from('Gr\xc3', 'latin1'), 'byte 3 of the file it names is not UTF-8'],
    ['a surrogate', Buffer.from('eda080', 'hex'), 'byte 1 of the file it names is not UTF-8'],
    ['two lines', Buffer.from('first\nsecond\n'), 'the file it names has 2 lines'],
    ['an empty second line', Buffer.from('first\n\n'), 'the file it names has 2 lines'],
    ['lines of an old Macintosh', Buffer.from('first\rsecond'), 'the file it names has 2 lines'],
    ['lines of Windows', Buffer.from('a\r\nb\r\nc\r\n'), 'the file it names ends in a carriage return'],
    ['one line of Windows', Buffer.from('first\r\n'), 'the file it names ends in a carriage return, which gpg takes'],
    ['UTF-16', Buffer.from('\ufefffirst\n', 'utf16le'), 'the file it names is UTF-16; save it as UTF-8'],
    ['a byte order mark', Buffer.from('\ufefffirst\n'), 'the file it names begins with a byte order mark'],
    ['a NUL', Buffer.from('fir\0st\n'), 'the file it names holds a NUL byte'],
    ['nothing', Buffer.alloc(0), 'the file it names is empty'],
    ['an empty line', Buffer.from('\n'), 'the file it names holds an empty line'],
  ])('is refused as %s, and never quoted', (_what, bytes, reason) => {
    const { secret, faults } = fromFile(bytes);
    expect(secret).toBeUndefined();
    expect(faults).toEqual([
      expect.stringContaining(`BACKUP_PASSPHRASE_FILE must be one line of UTF-8 text: ${reason}`),
    ]);
    expect(faults.join()).not.toMatch(/first|second/);
  });
});

describe.each([
  ['flags', '--passphrase'],
  ['env', 'BACKUP_PASSPHRASE'],
  ['dotenv', 'BACKUP_PASSPHRASE in .env'],
] as const)('a secret in %s', (where, origin) => {
  test('keeps its spaces and umlauts', () => {
    expect(fromText(' Grüße ', where)).toEqual({ secret: ' Grüße ', faults: [] });
  });

  test.each([
    ['a\ufffdb', 'it holds U+FFFD, which also replaces bytes that are not UTF-8: pass it in a file'],
    ['a\nb', 'it has 2 lines'],
    ['\ufeffab', 'it begins with a byte order mark'],
  ])('is refused with %j', (text, reason) => {
    const { secret, faults } = fromText(text, where);
    expect(secret).toBeUndefined();
    expect(faults).toEqual([expect.stringContaining(`${origin} must be one line of UTF-8 text: ${reason}`)]);
  });
});

test('every setting that holds a secret is checked', () => {
  const named = Object.entries<Setting>(settings).filter(([name]) => /pass(word|phrase)$/i.test(name));
  const secrets = named.filter(([, { noEffect }]) => noEffect === undefined);
  expect(secrets.length).toBeGreaterThanOrEqual(2);
  for (const [name, { flag }] of secrets) {
    const sources = { flags: { [flag]: 'a\ufffdb' }, env: {}, dotenv: undefined, readFile: () => Buffer.alloc(0) };
    const { faults } = readSettings([name as keyof typeof settings], sources);
    expect(faults).toEqual([expect.stringContaining(`--${flag} must be one line of UTF-8 text`)]);
  }
});
