/** Converts archives in memory, and reads what came of it with eyes of its own. */
import { Readable } from 'node:stream';
import type { ArchiveSource, Input } from '#src/model/archive-stream.js';
import { rereadSource } from '#src/store/archive-source.js';
import { convert } from '#src/jobs/convert/convert.js';
import type { ConversionOptions } from '#src/jobs/convert/conversion-plan.js';
import { checkArchive, type CheckedArchive } from '../archive-check.js';
import { chunksOf, lines, memoryOutput, silentContext, verifyBytes } from './sample.js';

function inputOf(archive: Buffer): Input {
  return {
    name: 'memory',
    chunks: Readable.from(chunksOf(archive, 65_536)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** What `convert` makes of an archive that comes through a stream. Rejects with what it throws; nothing is written then. */
export async function convertBytes(archive: Buffer, options: Partial<ConversionOptions> = {}): Promise<Buffer> {
  return await convertSource(
    rereadSource(() => Promise.resolve(inputOf(archive)), silentContext),
    options,
  );
}

/** The same of an archive that is altered between its readings: these are the readings, in order. */
export async function convertReadings(...readings: readonly Buffer[]): Promise<Buffer> {
  const left = [...readings];
  const open = () => Promise.resolve(inputOf(left.shift() ?? Buffer.alloc(0)));
  return await convertSource({ open, [Symbol.asyncDispose]: () => Promise.resolve() });
}

async function convertSource(opened: ArchiveSource, options: Partial<ConversionOptions> = {}): Promise<Buffer> {
  const { output, bytes } = memoryOutput();
  await using source = opened;
  const tool = { name: 'dtr-backup', version: '9.9.9' };
  const destination = { open: () => Promise.resolve(output), committed: () => Promise.resolve() };
  await convert({ drop: [], tool, destination, ...options }, source, silentContext);
  return bytes();
}

/** The same, opened; throws where `verify` has anything to say of it. */
export async function convertAndCheck(
  archive: Buffer,
  options: Partial<ConversionOptions> = {},
): Promise<CheckedArchive> {
  const converted = await convertBytes(archive, options);
  const findings = lines(await verifyBytes(converted));
  if (findings.length > 0) throw new Error(findings.join('\n'));
  return checkArchive(converted);
}
