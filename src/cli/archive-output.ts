/**
 * Where a command writes its archive: stdout or a place, compressed and encrypted as the settings say; and its summary
 * beside it.
 */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { prepareWrapping } from '../archive/envelope/envelope.js';
import { Cleanup } from '../base/cleanup.js';
import { errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { verifyWritten } from '../jobs/verify.js';
import type { Destination, Output } from '../model/archive-stream.js';
import { summaryPathOf, summaryVersion, type ArchiveFacts, type Summary } from '../model/summary.js';
import type { OutputSettings } from '../settings/resolve.js';
import type { KeepingName, SettingValues, StoreName } from '../settings/settings.js';
import { openFileStore } from '../store/file-store.js';
import { fillIn, type OutputFacts } from '../store/output-path.js';
import { stdoutOutput } from '../store/output.js';
import type { Store } from '../store/store.js';
import type { CommandRun } from './commands.js';
import { openStore } from './places.js';

interface OutputUse {
  readonly settings: OutputSettings;
  readonly values: SettingValues<StoreName | KeepingName>;
  readonly isDryRun: boolean;
  /** Whether the archive holds private keys: it then warns where nothing encrypts them. */
  readonly holdsKeys: boolean;
}

/**
 * The facts given to `open` fill in the archive's name. Throws a JobError: exit code 8 where the archive cannot be written
 * there, as far as this can be known now (a name still to be filled in is checked when it is opened), 2 for keys that
 * cannot encrypt. The caller disposes of it after the job.
 */
export async function prepareOutput(
  use: OutputUse,
  run: CommandRun,
): Promise<Destination<OutputFacts> & AsyncDisposable> {
  return Cleanup.over(async (cleanup) => {
    const { settings, values, isDryRun } = use;
    const { target, wrapping } = settings;
    if (target.kind === 'stdout') {
      if (!isDryRun) run.processContext.stdout.open('archive');
      return new ArchiveOutput(use, { run, cleanup, store: undefined, wrapping: await prepareWrapping(wrapping) });
    }
    const { place, force } = target;
    const prepared = await prepareWrapping(wrapping);
    const store = cleanup.use(await openStore(place, values, run.context));
    if (!isDryRun && !place.path.includes('{')) await assertBothFree(store, place.path, force);
    return new ArchiveOutput(use, { run, cleanup, store, wrapping: prepared });
  });
}

async function assertBothFree(store: Store, path: string, force: boolean): Promise<void> {
  await store.assertFree(path, { force });
  await store.assertFree(summaryPathOf(path), { force });
}

interface Prepared {
  readonly run: CommandRun;
  readonly cleanup: Cleanup;
  /** Undefined for stdout. */
  readonly store: Store | undefined;
  readonly wrapping: Awaited<ReturnType<typeof prepareWrapping>>;
}

class ArchiveOutput implements Destination<OutputFacts>, AsyncDisposable {
  readonly #use: OutputUse;
  readonly #prepared: Prepared;
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #path = 'stdout';
  #verifiedAt: Date | undefined;

  constructor(use: OutputUse, prepared: Prepared) {
    this.#use = use;
    this.#prepared = prepared;
  }

  open = async (about: OutputFacts): Promise<Output> => {
    const { target, keys } = this.#use.settings;
    const { run, store, wrapping } = this.#prepared;
    const { log, clock, signal } = run.context;
    const { isEncrypted, recipients } = wrapping;
    if (this.#use.holdsKeys && !isEncrypted)
      log.warn('The archive will hold private keys, and is not encrypted (--encrypt)');
    // A key that is missing in the key file is found now, not when the archive is needed.
    const keyCount = recipients.length === 1 ? '1 key' : `${recipients.length} keys, each of which opens it`;
    if (recipients.length > 0) log.info(`Encrypting to ${keyCount}: ${recipients.join(', ')}`);
    if (target.kind === 'stdout' || store === undefined)
      return wrapping.wrap(this.#measured(stdoutOutput(run.processContext.stdout.open('archive'), signal)));
    const { force, verify, place } = target;
    this.#path = fillIn(place.path, about);
    await assertBothFree(store, this.#path, force);
    const verifyArchive = async (open: Parameters<typeof verifyWritten>[0]): Promise<void> => {
      await verifyWritten(open, keys, run.context);
      this.#verifiedAt = clock.now();
    };
    const output = await store.openOutput(this.#path, { force, ...(verify && { verifyArchive }) });
    return wrapping.wrap(this.#measured(output));
  };

  /** Writes the summary beside the archive, and where `--summary` says. Throws a JobError with exit code 8. */
  committed = async (facts: ArchiveFacts): Promise<void> => {
    const { target, summary: copy } = this.#use.settings;
    const { run, store, wrapping } = this.#prepared;
    const stored = { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
    run.monitor.wrote({ ...facts, stored });
    if (store === undefined && copy === undefined) return;
    const summary: Summary = {
      ...facts,
      summaryVersion,
      name: posix.basename(this.#path),
      stored,
      isEncrypted: wrapping.isEncrypted,
      ...(this.#verifiedAt && { verifiedAt: this.#verifiedAt.toISOString() }),
    };
    const text = `${JSON.stringify(summary, undefined, 2)}\n`;
    const { signal, log } = run.context;
    try {
      if (store !== undefined && target.kind === 'stored') {
        const isWritten = await store.writeText(summaryPathOf(this.#path), text, { replaces: target.force });
        if (!isWritten) throw new Error(`${store.nameOf(summaryPathOf(this.#path))} appeared meanwhile`);
      }
      if (copy !== undefined) {
        const files = openFileStore({ signal, warn: (message) => log.warn(message) });
        await files.writeText(copy, text, { replaces: true });
      }
    } catch (error) {
      signal.throwIfAborted();
      const what = `the archive is whole, but its summary is not written: ${errorText(error)}`;
      throw new JobError(ExitCode.output, what, { cause: error });
    }
  };

  [Symbol.asyncDispose](): Promise<void> {
    return this.#prepared.cleanup[Symbol.asyncDispose]();
  }

  /** Counts what goes out, and checksums it where there will be a summary. */
  #measured(output: Output): Output {
    const isSummarised = this.#prepared.store !== undefined || this.#use.settings.summary !== undefined;
    return {
      name: output.name,
      write: async (chunk) => {
        if (isSummarised) this.#hash.update(chunk);
        this.#bytes += chunk.length;
        await output.write(chunk);
      },
      commit: () => output.commit(),
      [Symbol.asyncDispose]: () => output[Symbol.asyncDispose](),
    };
  }
}
