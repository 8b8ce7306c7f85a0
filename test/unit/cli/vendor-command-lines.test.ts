// The `backup` lines of the vendor's documentation, DTR 2.0 to MSR 3.1, from what follows the image's name on.
import { describe, expect, test } from '@jest/globals';
import { parseCall } from '#src/cli/call.js';
import { commands } from '#src/cli/commands.js';
import type { Access } from '#src/model/replica-access.js';
import { readSettings } from '#src/settings/reader.js';
import { resolveAccess, resolveOutput, type OutputSettings } from '#src/settings/resolve.js';
import { commandSettings, type SettingValues } from '#src/settings/settings.js';

const tool = { name: 'dtr-backup', version: '0.1.0' };

/** What stands for the placeholders and substitutions of the documented lines. */
const substitutes: Readonly<Record<string, string>> = {
  '<ucp-url>': 'ucp.example:443',
  $UCP_URL: 'ucp.example:443',
  '<ucp-admin>': 'admin',
  '<ucp-username>': 'admin',
  $UCP_ADMIN: 'admin',
  '<ucp-password>': 'hunter2',
  '<replica-id>': '5eb9459a7832',
  $REPLICA_ID: '5eb9459a7832',
  '"$(cat ca.pem)"': '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n',
  '"$(cat ucp-ca.pem)"': '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n',
  '"$(curl https://${UCP_URL}/ca)"': '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n',
  '<msr-file>': '/backups/msr.tar',
};

/** Where MSR 3 has the TLS files of its RethinkDB. */
const msrFiles = ['/certs/rethinkdb/ca.crt', '/certs/rethinkdb-client/tls.crt', '/certs/rethinkdb-client/tls.key'];

function argumentsOf(line: string): string[] {
  const words = line.match(/"[^"]*"|\S+/g) ?? [];
  return words.map((word) => substitutes[word] ?? word);
}

interface Understood {
  readonly access: Access;
  readonly output: OutputSettings['target'];
  readonly values: SettingValues<(typeof commandSettings)['backup'][number]>;
  readonly warnings: readonly string[];
}

async function understand(
  line: string,
  env: Readonly<Record<string, string>>,
  mounted: readonly string[] = [],
): Promise<Understood> {
  const call = await parseCall({ argv: argumentsOf(line), tool }, commands);
  if (call.kind !== 'command') throw new Error(`${line} is no command`);
  const readFile = (path: string): Buffer => {
    if (!mounted.includes(path)) throw Object.assign(new Error('none'), { code: 'ENOENT' });
    return Buffer.from(`-----BEGIN ${path}`);
  };
  const read = readSettings(commandSettings.backup, { flags: call.flags, env, dotenv: undefined, readFile });
  read.faults.push(...call.faults);
  const { target } = resolveOutput(read, { opensInput: false });
  const access = resolveAccess(read, { needsVersion: true });
  return { access, output: target, values: read.values, warnings: read.warnings };
}

const basic = 'backup --ucp-ca "$(cat ca.pem)" --existing-replica-id 5eb9459a7832';
const advanced =
  'backup --ucp-username $UCP_ADMIN --ucp-url $UCP_URL --ucp-ca "$(curl https://${UCP_URL}/ca)" --existing-replica-id $REPLICA_ID';
const insecure = 'backup --ucp-url <ucp-url> --ucp-insecure-tls --existing-replica-id <replica-id>';
/** The environment of a line that leaves something to it, which docker/dtr asks for on a terminal. */
const password = { UCP_PASSWORD: 'hunter2' };
const rest = { ...password, UCP_URL: 'ucp.example:443', UCP_USERNAME: 'admin' };

/** Version, line, environment. */
const ucpLines: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
  [
    '2.0',
    'backup --ucp-url <ucp-url> --ucp-ca "$(cat ucp-ca.pem)" --existing-replica-id <replica-id> --ucp-username <ucp-admin> --ucp-password <ucp-password>',
    {},
  ],
  ['2.1', `${insecure} --ucp-username <ucp-admin> --ucp-password <ucp-password>`, {}],
  ['2.2 to 2.4', `${insecure} --ucp-username <ucp-admin> --ucp-password <ucp-password> --debug`, {}],
  ['2.5', `${insecure} --ucp-username <ucp-username>`, password],
  ['2.6', basic, rest],
  ['2.6', advanced, password],
  ['2.6', basic, { ...rest, DTR_OFFLINE_BACKUP: 'false' }],
  ['2.7', 'backup', { ...rest, UCP_INSECURE_TLS: 'true', DTR_REPLICA_ID: '5eb9459a7832', DEBUG: 'true' }],
  ['2.8', `${basic} --ignore-events-table`, rest],
  ['2.8 to 2.10', 'backup', { ...rest, UCP_INSECURE_TLS: '1', MSR_REPLICA_ID: '5eb9459a7832', NOCOLOR: 'true' }],
  ['2.9', advanced, { ...password, MSR_EXTENDED_HELP: 'false' }],
  ['2.9.18', `${advanced} --ignore-scan-data --nocolor`, password],
  ['2.10', `${basic} --nocolor`, rest],
];

describe('a documented line through UCP', () => {
  test.each(ucpLines)('%s: %s', async (_version, line, env) => {
    const { access, output, values, warnings } = await understand(line, env);
    expect(access).toMatchObject({
      kind: 'ucp',
      ucp: { url: 'https://ucp.example', username: 'admin' },
      replicaId: '5eb9459a7832',
    });
    expect(access.kind === 'ucp' && access.ucp.password.reveal()).toBe('hunter2');
    expect(access.kind === 'ucp' && (access.ucp.insecureTls || access.ucp.ca?.startsWith('-----BEGIN'))).toBe(true);
    expect({ output, warnings }).toEqual({ output: { kind: 'stdout' }, warnings: [] });
    expect(values).toMatchObject({
      offlineBackup: false,
      ignoreEventsTable: line.includes('--ignore-events-table'),
      ignoreScanData: line.includes('--ignore-scan-data'),
    });
  });

  test('with --offline-backup, by flag and by variable', async () => {
    expect((await understand(`${basic} --offline-backup`, rest)).values.offlineBackup).toBe(true);
    expect((await understand(basic, { ...rest, DTR_OFFLINE_BACKUP: 'true' })).values.offlineBackup).toBe(true);
  });

  const whole = `${insecure} --ucp-username <ucp-admin> --ucp-password <ucp-password>`;
  test.each([
    ['2.0 to 2.2', '--hub-username somebody --hub-password hunter2', ['--hub-username', '--hub-password']],
    ['2.4', '--enzi-ca "$(cat ca.pem)" --enzi-insecure-tls', ['--enzi-ca', '--enzi-insecure-tls']],
  ])('with flags of %s that have no effect', async (_version, flags, named) => {
    const { access, warnings } = await understand(`${whole} ${flags}`, {});
    expect(access.kind).toBe('ucp');
    expect(warnings).toEqual(named.map((flag) => expect.stringMatching(`^${flag} has no effect: `) as unknown));
    expect(warnings.join()).not.toMatch(/hunter2|somebody|BEGIN/);
  });

  test('with --config-only (2.0, 2.1) is refused', async () => {
    await expect(understand(`${whole} --config-only`, {})).rejects.toMatchObject({
      exitCode: 2,
      faults: [expect.stringMatching(/^--config-only is refused: .*restore --table dtr2\.properties/)],
    });
  });
});

describe('a documented line of MSR 3.0 and 3.1', () => {
  const inMsr = { MSR_VERSION: '3.1.2' };
  const named =
    '--rethinkdb-addr db:28016 --rethinkdb-client-cert /c --rethinkdb-client-key /k --rethinkdb-ca /a --rethinkdb-insecure-skip-verify';
  const proxy = { host: 'msr-rethinkdb-proxy', port: 28015 };
  const stdout = { kind: 'stdout' };
  test.each([
    ['backup -', stdout, proxy, false],
    ['backup <msr-file>', { kind: 'stored', place: { kind: 'file', path: '/backups/msr.tar' } }, proxy, false],
    ['backup --ignore-events-table -', stdout, proxy, false],
    [`backup ${named} -`, stdout, { host: 'db', port: 28016 }, true],
  ])('%s', async (line, output, address, insecureSkipVerify) => {
    const understood = await understand(line, inMsr, [...msrFiles, '/c', '/k', '/a']);
    expect(understood).toMatchObject({
      output,
      warnings: [],
      access: { kind: 'direct', dtrVersion: '3.1.2', address, security: { kind: 'tls', insecureSkipVerify } },
    });
    expect(understood.values.ignoreEventsTable).toBe(line.includes('--ignore-events-table'));
  });

  test('by variables alone', async () => {
    const env = {
      ...inMsr,
      MSR_RETHINKDB_ADDR: 'db:28016',
      MSR_RETHINKDB_CLIENT_CERT_FILE: '/c',
      MSR_RETHINKDB_CLIENT_KEY_FILE: '/k',
      MSR_RETHINKDB_CA_CERT_FILE: '/a',
      MSR_RETHINKDB_INSECURE_SKIP_VERIFY: 'true',
    };
    const { access } = await understand('backup -', env, ['/c', '/k', '/a']);
    expect(access).toMatchObject({
      address: { host: 'db', port: 28016 },
      security: {
        insecureSkipVerify: true,
        identity: { ca: '-----BEGIN /a', cert: '-----BEGIN /c' },
      },
    });
  });
});
