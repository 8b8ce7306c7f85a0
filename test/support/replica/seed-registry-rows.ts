/** The seed's registry: repositories, tags, manifests, blobs and their links, events, scan results. */
import { binary, sha256, type Row, type SeedRandom } from './seed-random.js';

export interface SeedTag {
  readonly name: string;
  readonly digest: string;
  readonly layers: readonly string[];
}

export interface SeedRepository {
  readonly namespace: string;
  readonly name: string;
  readonly fullName: string;
  readonly tags: readonly SeedTag[];
}

const namespaces = ['engineering', 'platform', 'payments', 'data-science', 'web', 'qa'] as const;
const actors = ['admin', 'jenkins', 'maria.lopez', 'wei.zhang', 'søren'] as const;

/** The repositories that all tables of the seed speak of. */
export function planRepositories(random: SeedRandom, count: number): readonly SeedRepository[] {
  const sharedLayers = Array.from({ length: 40 }, () => random.digest());
  return Array.from({ length: count }, (_, index) => {
    const namespace = random.pick(namespaces);
    const name = `${random.word()}-${random.word()}-${index}`;
    const tags = Array.from({ length: random.integer(1, 6) }, (_unused, number) => ({
      name: number === 0 ? 'latest' : `${random.integer(0, 9)}.${random.integer(0, 20)}.${number}`,
      digest: random.digest(),
      layers: [random.digest(), ...Array.from({ length: random.integer(2, 9) }, () => random.pick(sharedLayers))],
    }));
    return { namespace, name, fullName: `${namespace}/${name}`, tags };
  });
}

export function* repositoryRows(random: SeedRandom, repositories: readonly SeedRepository[]): Iterable<Row> {
  for (const { namespace, name, fullName } of repositories) {
    yield {
      id: random.uuid(),
      pk: sha256(fullName),
      name,
      namespaceAccountID: sha256(namespace).slice(0, 32),
      namespaceName: namespace,
      visibility: random.pick(['public', 'private']),
      shortDescription: random.sentence(random.integer(0, 8)),
      longDescription: random.chance(0.3) ? `# ${name}\n\n${random.sentence(60)}\n\n\`docker pull …\`\n` : '',
      enableManifestLists: random.chance(0.2),
      immutableTags: random.chance(0.1),
      pulls: random.integer(0, 2_000_000),
      pushes: random.integer(0, 5000),
      scanOnPush: random.chance(0.5),
      tagLimit: 0,
    };
  }
}

export function* tagRows(random: SeedRandom, repositories: readonly SeedRepository[]): Iterable<Row> {
  for (const { fullName, tags } of repositories) {
    for (const { name, digest } of tags) {
      const createdAt = random.time();
      yield {
        id: random.uuid(),
        pk: sha256(`${fullName}:${name}`),
        repository: fullName,
        name,
        digest,
        digestPK: sha256(`${fullName}@${digest}`),
        author: random.pick(actors),
        createdAt,
        updatedAt: random.time(),
        hashMismatch: false,
        inNotary: random.chance(0.1),
        mirroring: { digest: '', mirroringPolicyID: '' },
        promotion: random.chance(0.1) ? { promotionPolicyID: random.uuid(), string: '' } : null,
      };
    }
  }
}

export function* manifestRows(random: SeedRandom, repositories: readonly SeedRepository[]): Iterable<Row> {
  for (const { fullName, tags } of repositories) {
    for (const { digest, layers } of tags) {
      const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
      const sized = layers.map((layer) => ({ digest: layer, size: random.integer(500, 90_000_000) }));
      const payload = JSON.stringify({
        schemaVersion: 2,
        mediaType,
        config: { digest: random.digest() },
        layers: sized,
      });
      yield {
        pk: sha256(`${fullName}@${digest}`),
        repository: fullName,
        digest,
        mediaType,
        os: 'linux',
        architecture: random.pick(['amd64', 'arm64']),
        layers: sized,
        layerDigests: [...new Set(layers)],
        size: sized.reduce((sum, { size }) => sum + size, 0),
        dockerfile: Array.from({ length: random.integer(5, 25) }, (_, line) => ({
          line: `/bin/sh -c #(nop) ${random.pick(['RUN', 'COPY', 'ENV'])} ${random.sentence(8)} <>&"\\ é ${line}`,
          isEmpty: random.chance(0.3),
        })),
        payload: binary(Buffer.from(payload)),
        createdAt: random.time(),
      };
    }
  }
}

function layersOf(repositories: readonly SeedRepository[]): readonly string[] {
  return [...new Set(repositories.flatMap(({ tags }) => tags.flatMap(({ layers }) => layers)))];
}

export function* blobRows(random: SeedRandom, repositories: readonly SeedRepository[]): Iterable<Row> {
  for (const digest of layersOf(repositories)) {
    yield {
      digest,
      id: random.uuid(),
      sha256sum: digest,
      size: random.integer(500, 90_000_000),
      uploadedAt: random.time(),
    };
  }
}

export function* blobLinkRows(_random: SeedRandom, repositories: readonly SeedRepository[]): Iterable<Row> {
  for (const { fullName, tags } of repositories) {
    for (const digest of new Set(tags.flatMap(({ layers }) => layers))) {
      yield { id: sha256(`${fullName} ${digest}`), namespace: fullName.split('/')[0], repository: fullName, digest };
    }
  }
}

export function* eventRows(random: SeedRandom, repositories: readonly SeedRepository[], count: number): Iterable<Row> {
  for (let index = 0; index < count; index += 1) {
    const { fullName, tags } = random.pick(repositories);
    const { name, digest } = random.pick(tags);
    yield {
      id: random.uuid(),
      type: random.pick(['PULL', 'PUSH', 'CREATE', 'DELETE', 'SCAN']),
      publishedAt: random.time(),
      actor: random.pick(actors),
      object: { type: 'tag', id: random.uuid(), name: `${fullName}:${name}`, digest },
      initiatedEvent: random.uuid(),
      repository: fullName,
      remoteAddress: `10.${random.integer(0, 255)}.${random.integer(0, 255)}.${random.integer(1, 254)}:${random.integer(1024, 65_535)}`,
      userAgent: `docker/18.09.${random.integer(0, 9)} go/go1.10.8 git-commit/${random.hex(7)} kernel/3.10.0 os/linux arch/amd64`,
    };
  }
}

export function* scannedImageRows(random: SeedRandom, repositories: readonly SeedRepository[]): Iterable<Row> {
  for (const { fullName, tags } of repositories.filter((_, index) => index % 2 === 0)) {
    for (const { name, digest, layers } of tags) {
      yield {
        id: sha256(`${fullName}@${digest}`),
        repository: fullName,
        tag: name,
        checkCompletedAt: random.time(),
        critical: random.integer(0, 9),
        major: random.integer(0, 40),
        layerDetails: layers.map((layer) => ({ sha256sum: layer, components: random.integer(0, 300) })),
      };
    }
  }
}

export function* scannedLayerRows(random: SeedRandom, repositories: readonly SeedRepository[]): Iterable<Row> {
  for (const digest of layersOf(repositories)) {
    const components = Array.from({ length: random.integer(3, 12) }, () => ({
      component: random.word(),
      version: `${random.integer(0, 9)}.${random.integer(0, 99)}-${random.hex(4)}`,
      license: { name: random.pick(['gpl2', 'mit', 'apache2']), type: 'permissive' },
      vulns: [
        {
          vuln: {
            cve: `CVE-20${random.integer(10, 19)}-${random.integer(1000, 9999)}`,
            cvss: random.integer(0, 100) / 10,
          },
          exact: true,
        },
      ],
    }));
    yield { digest, sha256sum: digest.slice(7), scannedAt: random.time(), components };
  }
}
