/**
 * OpenPGP around an archive: ours, gpg's (`--symmetric`, `--encrypt`; compressed inside, armoured or not). What comes
 * out is proved only when its end has come: until then it may be anybody's.
 */
import { decrypt, readMessage } from 'openpgp';
import { errorText, JobError } from '../../base/errors.js';
import type { DecryptionKeys } from '../../model/wrapping.js';
import { DamagedInputError } from '../io/damaged-input.js';
import { tags } from './message-head.js';
import { chooseSessionKey, prefixBytes, readSessionKeys, type EncryptedMessage, type Packet } from './session-key.js';

/** Without it, openpgp holds all of a message in memory until it is proved. */
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
  const source = new Source(chunks);
  try {
    const message = await source.message(form);
    const data = message.packets.find(({ constructor: { tag } }) => tag === tags.protectedData);
    const candidates = await readSessionKeys(message, keys, name);
    if (data === undefined) throw new Error('no data that is encrypted and protected against alteration');
    const sessionKey = chooseSessionKey(candidates, await prefixOf(data), name);
    const { data: plain } = await decrypt({
      message: message.message,
      sessionKeys: [sessionKey],
      format: 'binary',
      config,
    });
    return source.translating(plain as AsyncIterable<Uint8Array>);
  } catch (error) {
    throw source.translated(error);
  }
}

/** The encrypted bytes, and what went wrong with them: openpgp may report the same as something else. */
class Source {
  readonly #chunks: AsyncIterator<Buffer>;
  #failure: { readonly error: unknown } | undefined;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async message(form: 'binary' | 'armoured'): Promise<EncryptedMessage> {
    const bytes = this.#stream();
    const message = (await (form === 'binary'
      ? readMessage({ binaryMessage: bytes, config })
      : readMessage({ armoredMessage: bytes.pipeThrough(new TextDecoderStream()), config }))) as unknown;
    return { message: message as EncryptedMessage['message'], packets: (message as EncryptedMessage).packets };
  }

  async *translating(plain: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
    try {
      for await (const chunk of plain) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    } catch (error) {
      throw this.translated(error);
    } finally {
      await this.#chunks.return?.();
    }
  }

  translated(error: unknown): unknown {
    if (this.#failure !== undefined) return this.#failure.error;
    if (error instanceof JobError) return error;
    const text = errorText(error);
    const reason = text.includes('Modification detected')
      ? 'was altered or cut short: its integrity check (MDC) fails'
      : /Unexpected end|no data that is encrypted/.test(text)
        ? 'is cut short: it is encrypted, and its end is missing'
        : `is damaged OpenPGP data: ${text}`;
    return new DamagedInputError(reason, { cause: error });
  }

  #stream(): ReadableStream<Uint8Array> {
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
      try {
        const next = await this.#chunks.next();
        if (next.done === true) controller.close();
        else controller.enqueue(new Uint8Array(next.value.buffer, next.value.byteOffset, next.value.byteLength));
      } catch (error) {
        this.#failure = { error };
        controller.error(error);
      }
    };
    return new ReadableStream({ pull }, { highWaterMark: 0 });
  }
}

/** The first of the encrypted bytes, which stay where they are; undefined with AEAD. */
async function prefixOf(data: Packet): Promise<Buffer | undefined> {
  if (data.version !== 1) return undefined;
  const reader = (data.encrypted as ReadableStream<Uint8Array>).getReader();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < prefixBytes) {
    const next = await reader.read();
    if (next.done) throw new Error('Unexpected end of the encrypted data');
    pieces.push(next.value);
    bytes += next.value.length;
  }
  const rest = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const piece = pieces.shift();
    if (piece !== undefined) {
      controller.enqueue(piece);
      return;
    }
    const next = await reader.read();
    if (next.done) controller.close();
    else controller.enqueue(next.value);
  };
  const head = Buffer.concat(pieces);
  data.encrypted = new ReadableStream({ pull: rest }, { highWaterMark: 0 });
  return head.subarray(0, prefixBytes);
}
