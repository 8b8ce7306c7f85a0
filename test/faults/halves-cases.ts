/** The rows of the matrix about image and metadata archives of one backup that do not fit: `verify --metadata` refuses them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BackupFixture } from '../support/backup-fixture.js';
import { blobIdPath, blobPath } from '../support/registry-tree.js';
import type { FaultCase } from './fault-case.js';

const notFit = /does not fit .*m\.tar: 1 /;

/** What each fault does before the archives are written, or to the metadata archive. */
const faults: readonly {
  readonly fault: string;
  readonly says: RegExp;
  readonly harm?: (halves: BackupFixture) => void;
  readonly alter?: (metadata: Buffer) => Buffer;
}[] = [
  { fault: 'a blob by id is not in the images', says: notFit, harm: (it) => it.remove(blobIdPath('cc-config')) },
  { fault: 'a blob by digest is not in the images', says: notFit, harm: (it) => it.remove(blobPath(hexOf(it.layer))) },
  {
    fault: 'a blob by id has other content',
    says: notFit,
    harm: (it) => writeFileSync(join(it.storage, blobIdPath('cc-config')), '{"os":"LINUX"}'),
  },
  {
    fault: 'a blob by id is not in the metadata',
    says: notFit,
    harm: (it) => it.rows.blobs.pop(),
  },
  { fault: 'the metadata is cut short', says: /m\.tar is invalid/, alter: (metadata) => metadata.subarray(0, -2048) },
  {
    fault: 'the metadata was backed up without the table blobs',
    says: /does not hold dtr2\.blobs/,
    harm: (it) => Reflect.deleteProperty(it.rows, 'blobs'),
  },
];

export const halvesCases: readonly FaultCase[] = faults.map(({ fault, says, harm, alter }): FaultCase => ({
  area: 'images',
  fault: `${fault}: exit code of verify --metadata`,
  exitCode: 9,
  says,
  verdict: 'whole',
  run: async () => {
    using halves = new BackupFixture();
    harm?.(halves);
    const metadata = await halves.writeMetadata();
    if (alter !== undefined) writeFileSync(halves.path('m.tar'), alter(metadata));
    const images = await halves.writeImages();
    return { ...(await halves.check()), stdout: images };
  },
}));

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length);
}
