/** The rows of the matrix about image content: storage that is not where it should be, blobs that are lost, dead disks. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Ended } from '../support/command.js';
import { sampleReplica } from '../support/image-archive.js';
import { Program, runProgram } from '../support/program.js';
import { stopReader } from '../support/reader-process.js';
import { addBlob, addImage, blobPath } from '../support/registry-tree.js';
import type { FaultCase } from './fault-case.js';

const v2 = 'docker/registry/v2';

/** Runs with the flags of `images` for a registry of two images. */
async function inRegistry(run: (storage: string, flags: readonly string[]) => Promise<Ended>): Promise<Ended> {
  const directory = mkdtempSync(join(tmpdir(), 'dtr-backup-faults-'));
  const storage = join(directory, 'storage');
  try {
    for (const tag of ['1', '2']) addImage(storage, 'org/app', tag);
    return await run(storage, ['images', '--registry-path', storage, '--existing-replica-id', sampleReplica]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A run for a registry to which this was done. */
function after(harm: (storage: string, image: ReturnType<typeof addImage>) => void): FaultCase['run'] {
  return () =>
    inRegistry((storage, flags) => {
      harm(storage, addImage(storage, 'org/victim', 'latest'));
      return runProgram(flags);
    });
}

/** A run whose disk stops to answer in the middle. */
function withDeadDisk(more: readonly string[], signal?: NodeJS.Signals): FaultCase['run'] {
  return () =>
    inRegistry(async (storage, flags) => {
      addBlob(storage, Buffer.alloc(30_000_000, 'x'));
      const program = new Program([...flags, ...more]);
      const start = await program.readThenStall(100_000);
      stopReader(program);
      if (signal !== undefined) program.child.kill(signal);
      const ended = await program.ended();
      return { ...ended, stdout: Buffer.concat([start, ended.stdout]) };
    });
}

export const imageCases: readonly FaultCase[] = [
  ...['docker', v2, `${v2}/blobs`].map((path): FaultCase => ({
    area: 'images',
    fault: `${path} of the storage is a symbolic link to another disk`,
    exitCode: 5,
    says: /is a symbolic link to/,
    verdict: 'nothing',
    run: after((storage) => {
      renameSync(join(storage, path), join(storage, '..', 'moved'));
      symlinkSync(join(storage, '..', 'moved'), join(storage, path));
    }),
  })),
  {
    area: 'images',
    fault: 'the blobs are an empty mount point, the repositories name images',
    exitCode: 5,
    says: /holds none of the blobs/,
    verdict: 'nothing',
    run: after((storage) => {
      rmSync(join(storage, v2, 'blobs'), { recursive: true });
      mkdirSync(join(storage, v2, 'blobs'));
    }),
  },
  {
    area: 'images',
    fault: 'the repositories are an empty mount point, blobs are there',
    exitCode: 8,
    says: /is whole, but 1 that the registry needs/,
    verdict: 'whole',
    run: after((storage) => {
      rmSync(join(storage, v2, 'repositories'), { recursive: true });
      mkdirSync(join(storage, v2, 'repositories'));
    }),
  },
  ...(['manifest', 'config', 'layer'] as const).map((what): FaultCase => ({
    area: 'images',
    fault: `the ${what} of an image is not in the storage`,
    exitCode: 8,
    says: /is whole, but 1 that the registry needs/,
    verdict: 'whole',
    run: after((storage, image) => {
      rmSync(join(storage, dirname(blobPath(image[what]))), { recursive: true });
    }),
  })),
  {
    area: 'images',
    fault: 'the link of a tag is empty',
    exitCode: 8,
    says: /is whole, but 1 that the registry needs/,
    verdict: 'whole',
    run: after((storage, image) => {
      writeFileSync(join(storage, image.tagLink), '');
    }),
  },
  {
    area: 'images',
    fault: 'the disk of a mounted storage stops to answer',
    exitCode: 5,
    says: /gave no data within 1 s/,
    verdict: 'refused',
    run: withDeadDisk(['--read-timeout', '1']),
  },
  {
    area: 'images',
    fault: 'the disk of a mounted storage stops to answer, and then SIGTERM',
    exitCode: 143,
    verdict: 'refused',
    run: withDeadDisk([], 'SIGTERM'),
  },
];
