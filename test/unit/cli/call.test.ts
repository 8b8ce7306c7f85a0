import { describe, expect, test } from '@jest/globals';
import { parseCall, parseGlobalFlags, type Call } from '#src/cli/call.js';
import { commands } from '#src/cli/commands.js';

const tool = { name: 'dtr-backup', version: '0.1.0' };

function parse(...argv: string[]): Promise<Call> {
  return parseCall({ argv, tool }, commands);
}

describe('the one file of a command', () => {
  test.each([
    [['verify', 'a.tar'], 'a.tar'],
    [['verify', '--', 'a.tar'], 'a.tar'],
    [['verify', '--json', '--', '-a.tar'], '-a.tar'],
    [['verify', '--', '--json'], '--json'],
    [['verify', '--passphrase', '--', 'a.tar'], 'a.tar'],
    [['verify', '--passphrase', '--', '--', 'a.tar'], 'a.tar'],
    [['verify', '-'], '-'],
    [['verify', '--', '-'], '-'],
    [['verify'], undefined],
    [['verify', '--'], undefined],
    [['verify', ''], ''],
    [['verify', '--', ''], ''],
  ])('%j reads %j', async (argv, file) => {
    expect(await parse(...argv)).toMatchObject({ file, faults: [] });
  });

  test.each([
    [['verify', 'good.tar', '--', 'bad.tar'], 'too many arguments'],
    [['verify', '-', '--', 'bad.tar'], 'too many arguments'],
    [['verify', '--', 'good.tar', 'bad.tar'], 'too many arguments'],
    [['verify', 'good.tar', 'bad.tar'], 'too many arguments'],
    [['backup', 'a.tar', '--', 'b.tar'], 'too many arguments'],
    [['backup', 'a.tar', 'b.tar'], 'too many arguments'],
  ])('%j is a usage error', async (argv, fault) => {
    expect(await parse(...argv)).toMatchObject({ faults: [fault] });
  });

  test.each([
    [['backup', 'a.tar'], 'a.tar'],
    [['backup', '-'], '-'],
    [['backup', ''], ''],
    [['images', '--debug', '--', '-a.tar'], '-a.tar'],
    [['images', 'a.tar', '--output', 'a.tar'], 'a.tar'],
    [['backup', '--output=-', '-'], '-'],
    [['backup'], undefined],
  ])('%j writes %j', async (argv, output) => {
    const call = await parse(...argv);
    expect(call).toMatchObject({ file: undefined, faults: [] });
    expect('flags' in call && call.flags.output).toBe(output);
  });

  test.each([
    [['backup', 'a.tar', '--output', 'b.tar']],
    [['images', '-', '--output', 'b.tar']],
    [['backup', '--output', '-', '--', 'b.tar']],
  ])('%j names two outputs', async (argv) => {
    expect(await parse(...argv)).toMatchObject({
      faults: ['FILE and --output FILE are both given, and differ: give one of them'],
    });
  });

  test('a command is none where it follows --', async () => {
    await expect(parse('--', 'verify')).rejects.toMatchObject({ exitCode: 2 });
  });

  test('help shows settings in groups, and the advanced ones only in --help-extended', async () => {
    const titles = async (...argv: string[]): Promise<string[]> => {
      const call = await parse(...argv);
      return [...('text' in call ? call.text : '').matchAll(/^([A-Z].*):$/gm)].map(([, title = '']) => title);
    };
    const groups = [
      'Positionals',
      'UCP and replica',
      'What is backed up',
      'Output',
      'Encryption and compression',
      'Monitoring',
      'Options',
    ];
    expect(await titles('backup', '--help')).toEqual([...groups, 'Exit codes']);
    expect((await titles('backup', '--help-extended')).sort()).toEqual(['Advanced', ...groups, 'Exit codes'].sort());
  });

  test('help is asked for before -- only', async () => {
    expect(await parse('verify', '--', '--help')).toMatchObject({ file: '--help' });
    expect(await parse('verify', '--', '--version')).toMatchObject({ file: '--version' });
  });
});

test.each([
  [['backup', '--ucp-insecure-tls', 'yes'], { 'ucp-insecure-tls': true }],
  [['backup', '--offline-backup', '0', '--debug', 'TRUE'], { 'offline-backup': false, debug: true }],
])('a word after a switch is its value, not the file to write: %j', async (argv, flags) => {
  const call = await parse(...argv);
  expect(call).toMatchObject({ flags, faults: [] });
  expect('flags' in call && call.flags.output).toBeUndefined();
});

test('a lone - is a value where one is expected', async () => {
  const call = await parse('convert', '--output', '-', 'a.tar');
  expect(call).toMatchObject({ flags: { output: '-' }, file: 'a.tar', faults: [] });
});

test.each([
  [['--log-format', 'json', 'nonsense', '--bogus'], { 'log-format': 'json' }],
  [['verify', '--debug=yes', '--', '--log-format=json'], { debug: true }],
  [['--output', '--log-format=json', '--debug'], { debug: true, 'log-format': 'json' }],
])('the flags of every command are known whatever else is wrong: %j', async (argv, flags) => {
  expect(await parseGlobalFlags(argv)).toMatchObject(flags);
});
