// Checks the layer rules: who may import whom, and which package has which one importer.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const src = join(process.cwd(), 'src');

const layers: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['cli', 'store', 'base'],
  cli: ['cli', 'settings', 'jobs', 'archive', 'store', 'monitors', 'model', 'base'],
  settings: ['settings', 'model', 'base'],
  jobs: ['jobs', 'archive', 'store', 'rethink', 'ucp', 'model', 'base'],
  archive: ['archive', 'model', 'base'],
  store: ['store', 'model', 'base'],
  rethink: ['rethink', 'model', 'base'],
  ucp: ['ucp', 'model', 'base'],
  monitors: ['monitors', 'model', 'base'],
  model: ['model', 'base'],
  base: ['base'],
};

const onlyImporter: Readonly<Record<string, string>> = {
  'node-fetch': 'ucp',
  'rethinkdb-ts': 'rethink',
  archiver: 'archive',
  openpgp: 'archive',
  yargs: 'cli',
  dotenv: 'settings',
  '@aws-sdk/client-s3': 'store',
  ssh2: 'store',
};

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));

function importsOf(path: string): string[] {
  const text = readFileSync(join(src, path), 'utf8');
  return [...text.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)';|^import '([^']+)';|import\('([^']+)'\)/gms)].map(
    ([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '',
  );
}

/** `rethinkdb-ts` of `rethinkdb-ts/lib/connection/connection.js`. */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function layerOf(path: string): string {
  return path.split('/')[0] ?? '';
}

describe('the layers of src', () => {
  test('there is something to hold', () => {
    expect(files.length).toBeGreaterThan(30);
    expect(importsOf('main.ts')).toContain('./cli/program.js');
  });

  test.each(files)('%s imports only from where it may', (path) => {
    const layer = layerOf(path);
    for (const specifier of importsOf(path)) {
      if (specifier.startsWith('.')) {
        const target = layerOf(relative(src, join(src, path, '..', specifier)));
        expect({ path, allowed: layers[layer], target }).toMatchObject({
          allowed: expect.arrayContaining([target]) as unknown,
        });
      } else {
        const importer = onlyImporter[packageOf(specifier)] ?? layer;
        expect({ path, specifier, importer }).toMatchObject({ importer: layer });
      }
    }
  });

  test('every package that src imports is a dependency', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };
    const packages = files.flatMap(importsOf).filter((specifier) => !/^(\.|node:)/.test(specifier));
    expect(Object.keys(dependencies)).toEqual(expect.arrayContaining([...new Set(packages.map(packageOf))]));
  });
});
