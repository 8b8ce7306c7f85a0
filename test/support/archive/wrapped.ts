/** Bytes wrapped and unwrapped in memory by the program's own means, and gpg beside them where there is one. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareWrapping, unwrapInput } from '#src/archive/envelope/envelope.js';
import { Secret } from '#src/base/secret.js';
import type { DecryptionKeys, Wrapping } from '#src/model/envelope.js';
import { chunksOf, inputOf, memoryOutput } from './sample.js';

export const passphrase = new Secret('Grüße, correct horse');

export async function wrapBytes(plain: Buffer, wrapping: Wrapping, chunkBytes = 100_000): Promise<Buffer> {
  const { output, bytes } = memoryOutput();
  await using wrapped = (await prepareWrapping(wrapping)).wrap(output);
  for (const chunk of chunksOf(plain, chunkBytes)) await wrapped.write(chunk);
  await wrapped.commit();
  return bytes();
}

export async function unwrapBytes(wrapped: Buffer, keys: DecryptionKeys = {}, chunkBytes = 65_536): Promise<Buffer> {
  await using input = await unwrapInput(inputOf(wrapped, chunkBytes), keys);
  const chunks: Buffer[] = [];
  for await (const chunk of input.chunks) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Compresses nothing and is not all the same. */
export function noise(bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  for (let at = 0, state = 1; at < bytes; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    buffer[at] = state >>> 16;
  }
  return buffer;
}

/** A gpg with a home of its own, to which a passphrase is little work. */
export interface Gpg extends Disposable {
  /** Gives stdout; throws where gpg fails. */
  readonly run: (args: readonly string[], input?: Buffer) => Buffer;
  /** The same as a command to be run. */
  readonly command: (args: readonly string[]) => readonly string[];
}

/** Undefined, and said aloud, where gpg is missing. */
export function findGpg(): Gpg | undefined {
  if (spawnSync('gpg', ['--version']).status !== 0) {
    process.stderr.write('SKIPPED for want of gpg: whatever stock gpg writes or reads\n');
    return undefined;
  }
  const home = mkdtempSync(join(tmpdir(), 'gpg-'));
  // Left to itself it measures how much work a tenth of a second is, and has that done for each passphrase.
  const s2k = ['--s2k-count', '65536'];
  writeFileSync(join(home, 'gpg-agent.conf'), 's2k-count 65536\n');
  // From 2.4 on gpg encrypts with 3DES, Blowfish and CAST5 only when it is told to.
  const oldCiphers = ['--allow-old-cipher-algos'].filter((option) =>
    spawnSync('gpg', ['--dump-options']).stdout.toString().split('\n').includes(option),
  );
  const options = ['--homedir', home, '--batch', '--quiet', '--pinentry-mode', 'loopback', ...s2k, ...oldCiphers];
  const command = (args: readonly string[]): readonly string[] => {
    return ['gpg', ...options, '--passphrase', passphrase.reveal(), ...args];
  };
  return {
    command,
    run(args, input = Buffer.alloc(0)) {
      const [executable = '', ...all] = command(args);
      const { status, stdout, stderr } = spawnSync(executable, all, {
        input,
        maxBuffer: 64 * 1024 * 1024,
        timeout: 60_000,
      });
      if (status !== 0)
        throw new Error(`gpg ${args.join(' ')} ended with ${status ?? 'a signal'}: ${stderr.toString()}`);
      return stdout;
    },
    [Symbol.dispose]() {
      spawnSync('gpgconf', ['--homedir', home, '--kill', 'gpg-agent']);
      rmSync(home, { recursive: true, force: true });
    },
  };
}
