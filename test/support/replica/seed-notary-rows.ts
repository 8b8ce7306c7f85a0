/** The seed's Notary: TUF metadata under array keys, its change feed, and the signer's private keys. */
import { binary, sha256, time, type Row, type SeedRandom } from './seed-random.js';
import type { SeedRepository } from './seed-registry-rows.js';

const roles = ['root', 'targets', 'snapshot', 'timestamp', 'targets/releases'] as const;
const neverDeleted = time(-62_135_596_800);

/** Every fourth repository is signed. */
export function signedRepositories(repositories: readonly SeedRepository[]): readonly SeedRepository[] {
  return repositories.filter((_, index) => index % 4 === 0);
}

function gunOf({ fullName }: SeedRepository): string {
  return `dtr.example.com/${fullName}`;
}

export function* tufFileRows(random: SeedRandom, repositories: readonly SeedRepository[]): Iterable<Row> {
  for (const repository of signedRepositories(repositories)) {
    const gun = gunOf(repository);
    const timestampChecksum = random.hex(64);
    for (const role of roles) {
      for (let version = 1; version <= random.integer(1, 3); version += 1) {
        const createdAt = random.time();
        const signed = {
          _type: role,
          version,
          expires: '2028-01-01T00:00:00Z',
          keys: { [random.hex(64)]: { keytype: 'ecdsa' } },
        };
        const data = Buffer.from(
          JSON.stringify({ signed, signatures: [{ method: 'ecdsa', sig: random.bytes(64).toString('base64') }] }),
        );
        yield {
          created_at: createdAt,
          updated_at: createdAt,
          deleted_at: neverDeleted,
          gun_role_version: [gun, role, version],
          gun,
          role,
          version,
          sha256: sha256(data),
          data: binary(data),
          timestamp_checksum: timestampChecksum,
        };
      }
    }
  }
}

export function* changefeedRows(random: SeedRandom, repositories: readonly SeedRepository[]): Iterable<Row> {
  for (const repository of signedRepositories(repositories)) {
    const gun = gunOf(repository);
    yield { id: random.uuid(), created_at: random.time(), gun, version: 1, sha256: random.hex(64), category: 'update' };
  }
}

export function* privateKeyRows(random: SeedRandom, repositories: readonly SeedRepository[]): Iterable<Row> {
  for (const repository of signedRepositories(repositories)) {
    for (const role of ['snapshot', 'timestamp'] as const) {
      const createdAt = random.time();
      yield {
        created_at: createdAt,
        updated_at: createdAt,
        deleted_at: neverDeleted,
        key_id: random.hex(64),
        encryption_alg: 'A256GCM',
        keywrap_alg: 'PBES2-HS256+A128KW',
        algorithm: 'ecdsa',
        passphrase_alias: 'timestamp_1',
        gun: gunOf(repository),
        role,
        public: binary(random.bytes(91)),
        private: binary(random.bytes(190)),
        last_used: random.time(),
      };
    }
  }
}
