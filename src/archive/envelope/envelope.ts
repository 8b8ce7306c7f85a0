/** What wraps an archive: put around an output, taken off an input. */
import type { DecryptionKeys, Wrapping } from '../../model/envelope.js';
import { compress, compressionOf, decompress, assertAvailable } from './compression.js';
import { DamagedInputError } from '../damaged-input.js';
import type { decryptArchive } from './decryption.js';
import { encryptionOf, headBytes } from './message-head.js';
import type { ArchiveSource, Input, Output } from '../../model/archive-stream.js';
import { LineEnds } from './line-ends.js';
import { foreignFormOf, foreignHeadBytes } from './foreign-form.js';
import { joined, splitAt } from './split.js';
import { transformedOutput, type ByteTransform } from './transformed-output.js';

export interface PreparedWrapping {
  readonly isEncrypted: boolean;
  /** The fingerprints of the keys that open it; none where no keys do. */
  readonly recipients: readonly string[];
  /** The result owns the output. */
  readonly wrap: (output: Output) => Output;
}

/** Throws a JobError with exit code 2 for what cannot be done here: do it before the output is opened. */
export async function prepareWrapping({ compression, encryption }: Wrapping): Promise<PreparedWrapping> {
  const transforms: ByteTransform[] = [];
  let recipients: readonly string[] = [];
  if (compression !== undefined) {
    assertAvailable(compression, 'write');
    transforms.push(compress(compression));
  }
  if (encryption !== undefined) {
    // Most archives need no openpgp, which takes its time to load.
    const { prepareEncryption } = await import('./encryption.js');
    const prepared = await prepareEncryption(encryption);
    transforms.push(prepared.encrypt);
    recipients = prepared.recipients;
  }
  const how = [
    ...(compression === undefined ? [] : [`compressed (${compression})`]),
    ...(encryption === undefined ? [] : ['encrypted']),
  ].join(' and ');
  const all: ByteTransform = (chunks) => transforms.reduce((inner, transform) => transform(inner), chunks);
  return {
    isEncrypted: encryption !== undefined,
    recipients,
    wrap: (output) => (transforms.length === 0 ? output : transformedOutput(output, all, how)),
  };
}

/**
 * The tar in an input, which the result owns: encrypted or not, compressed or not. Reads its first bytes. Throws a
 * JobError with exit code 2 when it is encrypted and the keys do not fit, when this Node cannot decompress it, or when
 * it cannot be read; damage comes out of its chunks as a DamagedInputError.
 */
export async function unwrapInput(input: Input, keys: DecryptionKeys): Promise<Input> {
  const lineEnds = new LineEnds();
  const heir = { ...heirOf(input), hint: () => lineEnds.hint() };
  try {
    return { ...heir, chunks: await unwrap(lineEnds.watch(input.chunks), keys, input.name) };
  } catch (error) {
    if (error instanceof DamagedInputError) return { ...heir, chunks: failing(error) };
    await input[Symbol.asyncDispose]();
    throw error;
  }
}

/** The tar in a source, which the result owns: what is kept of a stream stays encrypted. */
export function unwrappedSource(source: ArchiveSource, keys: DecryptionKeys): ArchiveSource {
  return {
    open: async () => unwrapInput(await source.open(), keys),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

async function decrypted(...args: Parameters<typeof decryptArchive>): ReturnType<typeof decryptArchive> {
  const { decryptArchive } = await import('./decryption.js');
  return decryptArchive(...args);
}

async function unwrap(wrapped: AsyncIterable<Buffer>, keys: DecryptionKeys, name: string): Promise<Input['chunks']> {
  const outer = await peek(wrapped);
  const form = encryptionOf(outer.head);
  const inner = form === undefined ? outer : await peek(await decrypted(outer.all, form, keys, name));
  const compression = compressionOf(inner.head);
  if (compression !== undefined) assertAvailable(compression, `read ${name}, which is`);
  const chunks = compression === undefined ? inner.all : decompress(inner.all, compression);
  return refuseForeign(chunks);
}

/** What is no tar is told by what it looks like, where that is known. */
async function* refuseForeign(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const { head, rest } = await splitAt(chunks, foreignHeadBytes);
  const form = foreignFormOf(head);
  if (form === undefined) yield* joined(head, rest);
  else throw new DamagedInputError(form);
}

function heirOf(input: Input): Omit<Input, 'chunks'> {
  const { name, sizeBytes } = input;
  return {
    name,
    ...(sizeBytes !== undefined && { sizeBytes }),
    [Symbol.asyncDispose]: () => input[Symbol.asyncDispose](),
  };
}

// eslint-disable-next-line require-yield -- it is what reading gives
async function* failing(error: Error): AsyncGenerator<Buffer, void, undefined> {
  throw await Promise.resolve(error);
}

interface Peeked {
  readonly head: Buffer;
  readonly all: AsyncIterable<Buffer>;
}

async function peek(chunks: AsyncIterable<Buffer>): Promise<Peeked> {
  const { head, rest } = await splitAt(chunks, headBytes);
  return { head, all: joined(head, rest) };
}
