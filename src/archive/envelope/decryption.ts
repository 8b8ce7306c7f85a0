/** Decrypts OpenPGP messages: ours, and gpg's of any version (`--symmetric`, `--encrypt`, compressed inside, armoured). */
import { readMessage } from 'openpgp';
import { errorText, JobError } from '../../base/errors.js';
import { ExitCode } from '../../base/exit-codes.js';
import type { DecryptionKeys } from '../../model/envelope.js';
import { DamagedInputError } from '../damaged-input.js';
import { ByteSource } from '../tar/byte-source.js';
import { decryptAead } from './aead.js';
import { dearmour } from './armour.js';
import { cipherOf, openData, unreadableCipher, type EncryptedData } from './encrypted-data.js';
import { decryptMdc, fitsPrefix } from './mdc.js';
import { damaged, readEncryptedMessage, type MessageForm } from './packets.js';
import { trySessionKeys, wrongPassphrase, type Attempt, type Refusal } from './session-key.js';

/** Without it, openpgp holds all of a message in memory. */
const config = { allowUnauthenticatedStream: true };

interface DecryptionOptions {
  readonly form: MessageForm;
  readonly keys: DecryptionKeys;
  /** Of the archive, in messages. */
  readonly name: string;
}

/**
 * Decrypts a message in constant memory. Resolves when a key fits, with the content, which is authentic only once it has
 * ended: the integrity check comes last. Throws a JobError with exit code 2 where no key fits, and, here or from the
 * content, DamagedInputError for what is truncated or altered, and what `source` throws.
 */
export async function decryptArchive(
  source: ByteSource,
  { form, keys, name }: DecryptionOptions,
): Promise<AsyncIterable<Buffer>> {
  const binary = form === 'armoured' ? new ByteSource(dearmour(source.rest())) : source;
  const message = await readEncryptedMessage(binary);
  if (message.sessionKeys.length === 0) throw damaged('no session key in it');
  const data = await openData(message, name);
  const refusals = new Set<string>();
  for await (const attempt of trySessionKeys(message.sessionKeys, keys, name)) {
    const opened = attempt.kind === 'refusal' ? attempt : open(data, attempt, name);
    if (opened.kind === 'opened') return contentOf(opened.packets);
    refusals.add(opened.why);
  }
  if (refusals.size === 0) throw damaged('no session key in it can be read');
  throw new JobError(ExitCode.usage, [...refusals].join('; '));
}

type Opened = { readonly kind: 'opened'; readonly packets: AsyncGenerator<Buffer, void, undefined> } | Refusal;

/** Decrypts the data with a session key, where that can be the right one. */
function open(data: EncryptedData, attempt: Extract<Attempt, { kind: 'key' }>, name: string): Opened {
  const { key, from } = attempt;
  if (data.kind === 'aead') {
    if (key.length !== data.cipher.keyBytes) return mismatch(from, name);
    return { kind: 'opened', packets: decryptAead(data.body, data, key) };
  }
  const cipher = cipherOf(attempt.cipher ?? 0);
  if (cipher.node === undefined) return { kind: 'refusal', why: unreadableCipher(name, cipher.name) };
  if (key.length !== cipher.keyBytes || !fitsPrefix(data.prefix, cipher, key)) return mismatch(from, name);
  return { kind: 'opened', packets: decryptMdc(data.body, cipher, key) };
}

/** A session key from a private key has a checksum, so where it does not fit, the data is damaged. */
function mismatch(from: 'passphrase' | 'private key', name: string): Refusal {
  if (from === 'passphrase') return { kind: 'refusal', why: wrongPassphrase(name) };
  throw damaged('it does not fit its session key');
}

/** The one file in the packets, compressed or not, signed or not. Throws DamagedInputError for anything else. */
async function* contentOf(packets: AsyncGenerator<Buffer, void, undefined>): AsyncGenerator<Buffer, void, undefined> {
  let failure: { readonly error: unknown } | undefined;
  // Pulled by hand: openpgp may report a failure of the stream as another one.
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    try {
      const next = await packets.next();
      if (next.done === true) controller.close();
      else controller.enqueue(new Uint8Array(next.value.buffer, next.value.byteOffset, next.value.byteLength));
    } catch (error) {
      failure ??= { error };
      controller.error(error);
    }
  };
  try {
    const binaryMessage = new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 });
    const message = await readMessage({ binaryMessage, config });
    const literal = message.getLiteralData() as unknown as AsyncIterable<Uint8Array> | null;
    if (literal === null) throw new Error('no file in it');
    for await (const chunk of literal) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    // Read to the end of each list of packets, for what follows the file, and of the data, for its integrity check.
    for (const list of new Set([message.packets, message.unwrapCompressed().packets])) {
      const { stream } = list as unknown as { readonly stream: AsyncIterable<unknown> | null };
      if (stream !== null) await readToEnd(stream);
    }
    await readToEnd(packets);
  } catch (error) {
    if (failure !== undefined) throw failure.error;
    throw new DamagedInputError(`is damaged OpenPGP data: ${errorText(error)}`, { cause: error });
  } finally {
    await packets.return();
  }
}

async function readToEnd(chunks: AsyncIterable<unknown>): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}
