import { expect, test } from '@jest/globals';
import { Findings } from '#src/archive/checks/findings.js';
import { limits } from '#src/archive/layout.js';
import { ArchiveReader } from '#src/archive/reader.js';
import { rawEntry } from '../../support/archive/odd-tars.js';

const body = Buffer.alloc(limits.certificateBytes);

async function* certificates(volumes: readonly string[]): AsyncGenerator<Buffer, void, undefined> {
  yield rawEntry({ name: 'root/rethink/tags/0', body: '{"id":1}' });
  for (const [index, volume] of volumes.entries()) {
    const size = `${body.length.toString(8).padStart(11, '0')}\0`;
    yield await Promise.resolve(rawEntry({ name: `root/certs/${volume}/${index}`, size }).subarray(0, 512));
    yield body;
  }
  yield Buffer.alloc(1024);
}

async function read(volumes: readonly string[]): Promise<{ paths: string[]; findings: string[] }> {
  const findings = new Findings();
  const paths: string[] = [];
  for await (const item of new ArchiveReader(certificates(volumes), findings).items()) {
    if (item.kind === 'certificate') paths.push(item.path);
  }
  return { paths, findings: findings.first(false).map(({ reason }) => reason) };
}

test('an archive has at most 64 MiB of certificate files, of both volumes together', async () => {
  expect(await read(['ca', 'ca', 'notary', 'notary'])).toEqual({
    paths: ['ca/0', 'ca/1', 'notary/2', 'notary/3'],
    findings: [],
  });
  const { paths, findings } = await read(['ca', 'ca', 'notary', 'notary', 'notary', 'notary']);
  expect(paths).toEqual(['ca/0', 'ca/1', 'notary/2', 'notary/3']);
  expect(findings).toEqual(['has more than 67108864 bytes of certificate files']);
});
