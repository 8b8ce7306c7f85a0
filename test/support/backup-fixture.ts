/** Both halves of a backup in a directory: a registry's storage with blobs of both kinds, and the metadata that names them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from '@jest/globals';
import { makeArchive, type SampleOptions, type SampleTable } from './archive/sample.js';
import type { Ended } from './command.js';
import { sampleReplica } from './image-archive.js';
import { runProgram, type ProgramOptions } from './program.js';
import { addBlob, addBlobById } from './registry-tree.js';

export type Row = Record<string, unknown>;

/** Digests of manifests, which are in the metadata alone. */
export const [one, two, three] = ['1', '2', '3'].map((digit) => `sha256:${digit.repeat(64)}`) as [
  string,
  string,
  string,
];

export class BackupFixture implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));
  readonly storage = join(this.directory, 'storage');
  /** Digests of two layers, the first by id (`aa-base`) and the second by digest, and of a configuration by id (`cc-config`). */
  readonly base = `sha256:${addBlobById(this.storage, 'aa-base', Buffer.alloc(300_000, 'b'))}`;
  readonly layer = `sha256:${addBlob(this.storage, Buffer.from('layer'))}`;
  readonly config = `sha256:${addBlobById(this.storage, 'cc-config', Buffer.from('{"os":"linux"}'))}`;
  /** Of the tables. */
  rows: Record<'blobs' | 'manifests' | 'tags', Row[]>;

  constructor() {
    const { base, layer, config } = this;
    const manifest = (repository: string, digest: string, ...layers: readonly string[]): Row => {
      const sized = layers.map((each) => ({ digest: each, size: 1, mediaType: 'a/b', dockerfileLine: '', urls: null }));
      return { pk: `${repository}@${digest}`, digest, repository, layers: sized, configDigest: config };
    };
    const tag = (repository: string, name: string, digest: string): Row => {
      return { pk: `${repository}:${name}`, repository, name, digest, digestPK: `${repository}@${digest}` };
    };
    this.rows = {
      blobs: [
        { id: 'aa-base', sha256sum: base, mediaType: 'a/b' },
        { id: 'cc-config', sha256sum: config, mediaType: 'a/b' },
      ],
      manifests: [
        manifest('org/app', one, base, layer),
        manifest('org/other', two, base),
        manifest('org/other', three, layer),
      ],
      tags: [tag('org/app', '1', one), tag('org/app', 'latest', one), tag('org/other', '2.0', two)],
    };
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Removes a blob, by its path. */
  remove(path: string): void {
    rmSync(join(this.storage, dirname(path)), { recursive: true });
  }

  /** Writes the metadata archive m.tar; gives its bytes. */
  async writeMetadata(options: SampleOptions = {}, changes: Partial<Record<string, object[]>> = {}): Promise<Buffer> {
    const tables = Object.entries(this.rows).map(([name, documents]): SampleTable => {
      const journal = changes[name]?.map((change) => JSON.stringify(change));
      const texts = documents.map((document) => JSON.stringify(document)).sort();
      return { name, primaryKey: name === 'blobs' ? 'id' : 'pk', texts, ...(journal && { changes: journal }) };
    });
    const archive = await makeArchive(tables, options);
    writeFileSync(this.path('m.tar'), archive);
    return archive;
  }

  /** Writes the image archive i.tar of the storage; gives its bytes. */
  async writeImages(...more: readonly string[]): Promise<Buffer> {
    const flags = ['images', '--registry-path', this.storage, '--existing-replica-id', sampleReplica];
    const { exitCode, stdout, stderr } = await runProgram([...flags, '--allow-changed', ...more]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    writeFileSync(this.path('i.tar'), stdout);
    return stdout;
  }

  check(more: readonly string[] = [], options: ProgramOptions = {}): Promise<Ended> {
    return runProgram(['verify', this.path('i.tar'), '--metadata', this.path('m.tar'), ...more], options);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** The lines of the report after the first, which is about the image archive alone. */
export function fitLinesOf({ stdout }: Ended): string[] {
  return stdout.toString().trimEnd().split('\n').slice(1);
}
