/** The seed's settings and small tables: properties (PEM, JSON, YAML as text), tokens, policies, teams, jobs. */
import { sha256, time, type Row, type SeedRandom } from './seed-random.js';
import type { SeedRepository } from './seed-registry-rows.js';

type Rows = (random: SeedRandom, repositories: readonly SeedRepository[]) => Iterable<Row>;

const storageYaml = `version: 0.1
log: { level: info }
storage:
  delete: { enabled: true }
  filesystem: { rootdirectory: /storage }
middleware:
  registry:
    - name: metadata
      options: { api: "https://dtr-api", note: "ünïcode — ok" }
`;

export function* propertyRows(random: SeedRandom): Iterable<Row> {
  const texts: Record<string, string> = {
    'web-tls-cert': random.pem('CERTIFICATE', 900),
    'web-tls-key': random.pem('EC PRIVATE KEY', 120),
    'web-tls-ca': random.pem('CERTIFICATE', 880) + random.pem('CERTIFICATE', 905),
    'auth-bypass-ca': random.pem('CERTIFICATE', 700),
    'registry-settings.yml': storageYaml.repeat(6),
    'storage.yml': storageYaml,
    'ha-config': JSON.stringify(
      { dtrHost: 'dtr.example.com', replicaConfig: { '1f2e3d4c5b6a': { httpPort: 80 } } },
      null,
      2,
    ),
    'gc-config': JSON.stringify({ mode: 'online', cron: '0 0 1 * * 6', timeout: '12h' }),
    'readonly-registry': 'false',
    'scanning-config': JSON.stringify({ scanningEnabled: true, lastDBUpdate: '2019-03-01T10:11:12Z' }),
    licence: JSON.stringify({ key_id: random.hex(32), private_key: random.hex(40), authorization: random.hex(600) }),
    'empty-value': '',
  };
  for (const [key, value] of Object.entries(texts)) yield { key, value };
  for (let index = 0; index < 41; index += 1) {
    yield {
      key: `feature-${random.word()}-${index}`,
      value: JSON.stringify({ enabled: random.chance(0.5), limit: index }),
    };
  }
}

function many(atMost: number, row: (random: SeedRandom, repository: SeedRepository, index: number) => Row): Rows {
  return function* (random, repositories) {
    // So many in a registry of 200 repositories, and fewer in a small one.
    const count = Math.ceil((atMost * Math.min(200, repositories.length)) / 200);
    for (let index = 0; index < count; index += 1) yield row(random, random.pick(repositories), index);
  };
}

const clientTokenRows = many(25, (random) => ({
  id: random.uuid(),
  accountID: random.uuid(),
  hashedToken: random.hex(64),
  tokenLabel: random.sentence(2),
  createdAt: random.time(),
  lastUsed: random.chance(0.5) ? random.time() : null,
  isActive: random.chance(0.9),
}));

const pollMirroringRows = many(6, (random, { fullName }) => ({
  id: random.uuid(),
  localRepository: fullName,
  remoteHost: 'https://hub.example.com',
  remoteRepository: `library/${random.word()}`,
  username: 'mirror',
  password: random.hex(24),
  remoteCA: random.pem('CERTIFICATE', 600),
  skipTLSVerification: false,
  enabled: true,
  lastPulledAt: random.time(),
}));

const webhookRows = many(8, (random, { fullName }) => ({
  id: random.uuid(),
  type: random.pick(['TAG_PUSH', 'TAG_DELETE', 'SCAN_COMPLETED']),
  key: fullName,
  endpoint: `https://ci.example.com/hook?repo=${encodeURIComponent(fullName)}&n=${random.integer(1, 99)}`,
  createdAt: random.time(),
  lastSuccessfulAt: time(0),
  inactive: false,
  tlsCert: '',
}));

const pruningRows = many(4, (random, { fullName }) => ({
  id: random.uuid(),
  repository: fullName,
  enabled: true,
  rules: [{ field: 'updated_at', operator: 'bf', values: [String(random.integer(7, 90)), 'days'] }],
}));

const namespaceTeamRows = many(5, (random, { namespace }) => ({
  id: random.uuid(),
  namespaceID: sha256(namespace).slice(0, 32),
  teamID: random.uuid(),
  accessLevel: random.pick(['read-only', 'read-write', 'admin']),
}));

const repositoryTeamRows = many(40, (random, { fullName }) => ({
  id: random.uuid(),
  repositoryPK: sha256(fullName),
  teamID: random.uuid(),
  accessLevel: random.pick(['read-only', 'read-write', 'admin']),
}));

const userSettingsRows = many(12, (random) => ({
  accountID: random.uuid(),
  notifications: { scan: random.chance(0.5), mirrors: false },
  isFirstLogin: random.chance(0.1),
}));

function* metricsRows(): Iterable<Row> {
  yield { id: 'metrics', pulls: 123_456, pushes: 789 };
}

function* cronRows(random: SeedRandom): Iterable<Row> {
  for (const [action, schedule] of [
    ['gc', '0 0 1 * * 6'],
    ['sleep', '@hourly'],
    ['tagmigration', '0 0 3 * * *'],
  ]) {
    yield { id: random.uuid(), action, schedule, retries: 0, deadline: '0s', nextRun: random.time(), parameters: {} };
  }
}

const jobRows = many(60, (random, _repository, index) => ({
  id: `job-${String(index).padStart(4, '0')}`,
  action: random.pick(['gc', 'onlinegc', 'scan_check', 'webhook']),
  status: random.pick(['done', 'done', 'error', 'canceled_request']),
  workerID: random.hex(12),
  scheduledAt: random.time(),
  lastUpdated: random.time(),
}));

const joblogRows = many(120, (random, _repository, index) => ({
  id: random.uuid(),
  jobID: `job-${String(index % 60).padStart(4, '0')}`,
  lineNum: index,
  logLine: `level=info msg="${random.sentence(9)}"`,
}));

const actionConfigRows = many(3, (random, _repository, index) => ({
  id: random.uuid(),
  action: ['gc', 'scan_check', 'webhook'][index],
  parameters: { mode: 'online' },
}));

/** By table name. */
export const settingsRows: Readonly<Record<string, Rows>> = {
  properties: propertyRows,
  client_tokens: clientTokenRows,
  poll_mirroring_policies: pollMirroringRows,
  webhooks: webhookRows,
  pruning_policies: pruningRows,
  namespace_team_access: namespaceTeamRows,
  repository_team_access: repositoryTeamRows,
  user_settings: userSettingsRows,
  metrics: metricsRows,
  crons: cronRows,
  jobs: jobRows,
  joblogs: joblogRows,
  action_configs: actionConfigRows,
};
