/** Compression and encryption around an archive: added to an output, removed from an input. */
import type { DecryptionKeys, Wrapping } from '../../model/envelope.js';
import type { ArchiveSource, Input, Output } from '../../model/archive-stream.js';
import { DamagedInputError } from '../damaged-input.js';
import { ByteSource } from '../tar/byte-source.js';
import { assertAvailable, compress, compressionHeadBytes, compressionOf, decompress } from './compression.js';
import { foreignFormOf, foreignHeadBytes, LineEnds } from './foreign-form.js';
import { encryptionOf, messageHeadBytes } from './packets.js';
import { transformedOutput, type ByteTransform } from './transformed-output.js';

interface PreparedWrapping {
  readonly isEncrypted: boolean;
  /** The fingerprints of the keys that can decrypt it; empty for a passphrase. */
  readonly recipients: readonly string[];
  /** The result owns the output. */
  readonly wrap: (output: Output) => Output;
}

/** Throws a JobError with exit code 2 for what cannot be done; call it before the output is opened. */
export async function prepareWrapping({ compression, encryption }: Wrapping): Promise<PreparedWrapping> {
  const transforms: ByteTransform[] = [];
  const steps: string[] = [];
  let recipients: readonly string[] = [];
  if (compression !== undefined) {
    assertAvailable(compression, 'write');
    transforms.push(compress(compression));
    steps.push(`compressed (${compression})`);
  }
  if (encryption !== undefined) {
    // openpgp is slow to load, and most runs do not need it.
    const { prepareEncryption } = await import('./encryption.js');
    const prepared = await prepareEncryption(encryption);
    transforms.push(prepared.encrypt);
    steps.push('encrypted');
    recipients = prepared.recipients;
  }
  const all: ByteTransform = (chunks) => transforms.reduce((inner, transform) => transform(inner), chunks);
  return {
    isEncrypted: encryption !== undefined,
    recipients,
    wrap: (output) => (transforms.length === 0 ? output : transformedOutput(output, all, steps.join(' and '))),
  };
}

/**
 * The tar in an input, which the result owns; detects encryption and compression from the first bytes. Throws a JobError
 * with exit code 2 where the keys do not fit, this Node cannot decompress it, or it cannot be read. Damage is thrown by
 * the result's chunks, as a DamagedInputError.
 */
export async function unwrapInput(input: Input, keys: DecryptionKeys): Promise<Input> {
  const lineEnds = new LineEnds();
  const { again: _, ...rest } = input;
  const unwrapped = {
    ...rest,
    hint: () => lineEnds.hint(),
    [Symbol.asyncDispose]: () => input[Symbol.asyncDispose](),
  };
  try {
    return { ...unwrapped, chunks: await unwrap(lineEnds.watch(input.chunks), keys, input.name) };
  } catch (error) {
    if (error instanceof DamagedInputError) return { ...unwrapped, chunks: failing(error) };
    await input[Symbol.asyncDispose]();
    throw error;
  }
}

/** The same for a source that is opened more than once; the result owns it. A stream that it keeps stays encrypted. */
export function unwrappedSource(source: ArchiveSource, keys: DecryptionKeys): ArchiveSource {
  return {
    open: async () => unwrapInput(await source.open(), keys),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

async function unwrap(chunks: AsyncIterable<Buffer>, keys: DecryptionKeys, name: string): Promise<Input['chunks']> {
  let source = new ByteSource(chunks);
  const form = encryptionOf(await source.peek(messageHeadBytes));
  if (form !== undefined) {
    const { decryptArchive } = await import('./decryption.js');
    source = new ByteSource(await decryptArchive(source, { form, keys, name }));
  }
  const compression = compressionOf(await source.peek(compressionHeadBytes));
  if (compression === undefined) return assertTar(source);
  assertAvailable(compression, `read ${name}, which is`);
  return assertTar(new ByteSource(decompress(source, compression)));
}

/** Gives all bytes; for what is recognised as something else than a tar, throws a DamagedInputError instead. */
async function* assertTar(source: ByteSource): AsyncGenerator<Buffer, void, undefined> {
  try {
    const form = foreignFormOf(await source.peek(foreignHeadBytes));
    if (form !== undefined) throw new DamagedInputError(form);
    yield* source.rest();
  } finally {
    await source.close();
  }
}

// eslint-disable-next-line require-yield -- it only throws
async function* failing(error: Error): AsyncGenerator<Buffer, void, undefined> {
  throw await Promise.resolve(error);
}
