/**
 * OpenPGP around an archive: ours, gpg's of any version (`--symmetric`, `--encrypt`; compressed inside, armoured or
 * not). What comes out is proved only when its end has come: until then it may be anybody's.
 */
import { readMessage } from 'openpgp';
import { errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { DecryptionKeys } from '../../model/envelope.js';
import { DamagedInputError } from '../damaged-input.js';
import { dearmour } from './armour.js';
import { cipherOf } from './ciphers.js';
import { openData, type DataHead } from './data-head.js';
import { decryptAead } from './aead.js';
import { decryptMdc, fitsPrefix } from './mdc.js';
import { readEncryptedMessage } from './packets.js';
import { trySessionKeys, unreadableCipher, wrongPassphrase, type Attempt } from './session-key.js';

/** Without it, openpgp holds all of a message in memory. */
const config = { allowUnauthenticatedStream: true };

/**
 * Decrypts a message. Resolves when the keys are known to fit, with what is in it: constant in memory, and only good
 * once it has come to its end, which is after the integrity check. Throws a JobError with exit code 2 where the keys do
 * not fit, and DamagedInputError, here or in the bytes, for what is cut short or altered, or what `chunks` throws.
 */
export async function decryptArchive(
  chunks: AsyncIterable<Buffer>,
  form: 'binary' | 'armoured',
  keys: DecryptionKeys,
  name: string,
): Promise<AsyncIterable<Buffer>> {
  const message = await readEncryptedMessage(form === 'armoured' ? dearmour(chunks) : chunks);
  if (message.sessionKeys.length === 0) throw new DamagedInputError('is damaged OpenPGP data: no session key in it');
  const data = await openData(message.data, name);
  const refusals = new Set<string>();
  for await (const attempt of trySessionKeys(message.sessionKeys, keys, name)) {
    const opened = 'refusal' in attempt ? attempt : open(data, attempt, name);
    if (!('refusal' in opened)) return contentOf(opened.packets);
    refusals.add(opened.refusal);
  }
  if (refusals.size === 0) throw new DamagedInputError('is damaged OpenPGP data: no session key in it can be read');
  throw new JobError(ExitCode.usage, [...refusals].join('; '));
}

/** The packets in the data under a session key, where it can be the right one. */
function open(
  data: DataHead,
  { key, cipher: cipherId, from }: Exclude<Attempt, { readonly refusal: string }>,
  name: string,
): { readonly packets: AsyncIterable<Buffer> } | { readonly refusal: string } {
  if (data.kind === 'aead') {
    if (key.length !== data.cipher.keyBytes) return mismatch(from, name);
    return { packets: decryptAead(data.body, data, key) };
  }
  const cipher = cipherOf(cipherId ?? 0);
  if (cipher.node === undefined) return { refusal: unreadableCipher(name, cipher.name) };
  if (key.length !== cipher.keyBytes || !fitsPrefix(data.prefix, cipher, key)) return mismatch(from, name);
  return { packets: decryptMdc(data.body, cipher, key) };
}

/** What a private key gives has a checksum: where it does not fit, the data is damaged. */
function mismatch(from: 'passphrase' | 'private key', name: string): { readonly refusal: string } {
  if (from === 'passphrase') return { refusal: wrongPassphrase(name) };
  throw new DamagedInputError('is damaged OpenPGP data: it does not fit its session key');
}

/** The one file in the decrypted packets, compressed or not, signed or not. Throws DamagedInputError for anything else. */
async function* contentOf(packets: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const source = new Remembered(packets);
  try {
    const message = await readMessage({ binaryMessage: source.stream(), config });
    const literal = message.getLiteralData() as unknown as AsyncIterable<Uint8Array> | null;
    if (literal === null) throw new Error('no file in it');
    for await (const chunk of literal) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    // What stands behind the file is read, too: it may be too much, and the integrity check is at the very end.
    for (const list of new Set([message.packets, message.unwrapCompressed().packets])) {
      // Null where openpgp has come to its end by itself.
      const { stream } = list as unknown as { readonly stream: AsyncIterable<unknown> | null };
      if (stream !== null) await readToEnd(stream);
    }
    await readToEnd(source.chunks);
  } catch (error) {
    throw source.translated(error);
  } finally {
    await source.chunks.return();
  }
}

async function readToEnd(chunks: AsyncIterable<unknown>): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}

/** Chunks for openpgp, and what went wrong with them: openpgp may report the same as something else. */
class Remembered {
  readonly chunks: AsyncGenerator<Buffer, void, undefined>;
  #failure: { readonly error: unknown } | undefined;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.chunks = this.#remember(chunks);
  }

  stream(): ReadableStream<Uint8Array> {
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
      try {
        const next = await this.chunks.next();
        if (next.done === true) controller.close();
        else controller.enqueue(new Uint8Array(next.value.buffer, next.value.byteOffset, next.value.byteLength));
      } catch (error) {
        controller.error(error);
      }
    };
    return new ReadableStream({ pull }, { highWaterMark: 0 });
  }

  translated(error: unknown): unknown {
    if (this.#failure !== undefined) return this.#failure.error;
    return new DamagedInputError(`is damaged OpenPGP data: ${errorText(error)}`, { cause: error });
  }

  async *#remember(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* chunks;
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }
}
