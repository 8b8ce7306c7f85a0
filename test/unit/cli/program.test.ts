// What a run ends with where more than one thing fails, or something fails before there is a log.
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { systemClock } from '#src/base/clock.js';
import { JobError } from '#src/base/errors.js';
import { runProgram } from '#src/cli/program.js';
import type { ProcessContext } from '#src/cli/process-context.js';

interface Run extends Partial<ProcessContext> {
  /** Called with all that is on stderr. */
  readonly onLog?: (text: string) => void;
}

async function run({ onLog, ...given }: Run): Promise<{ readonly exitCode: number; readonly stderr: string }> {
  let stderr = '';
  const write = (text: string): void => {
    stderr += text;
    onLog?.(stderr);
  };
  const exitCode = await runProgram({
    argv: ['verify'],
    env: {},
    dotenv: undefined,
    readFile: () => Buffer.alloc(0),
    stdin: { open: () => Readable.from([]) },
    stdout: { open: () => ({ write: () => Promise.resolve(), commit: () => Promise.resolve() }) },
    stderr: { write, isTerminal: false },
    signal: new AbortController().signal,
    clock: systemClock,
    hostName: 'host',
    temporaryDirectory: tmpdir(),
    tool: { name: 'dtr-backup', version: '0.1.0' },
    ...given,
  });
  return { exitCode, stderr };
}

describe('a clean-up that fails after a failure', () => {
  /** Not an archive, and with a rest that is read once it has been judged; `fail` is called then. */
  const garbage = (fail: (this: Readable) => void): ProcessContext['stdin'] => ({
    open() {
      let isJudged = false;
      return new Readable({
        read() {
          if (!isJudged) this.push(Buffer.alloc(64 * 1024, 'garbage'));
          else fail.call(this);
          isJudged = true;
        },
        highWaterMark: 1,
      });
    },
  });

  test('by an abort does not change what the run ends with', async () => {
    const controller = new AbortController();
    const stdin = garbage(() => setImmediate(() => controller.abort(new JobError(130, 'interrupted by SIGINT'))));
    const { exitCode, stderr } = await run({ stdin, signal: controller.signal });
    expect({ exitCode, stderr }).toEqual({ exitCode: 9, stderr: expect.not.stringContaining('bug') });
    expect(stderr).toMatch(/WARN.* The clean-up failed as well: interrupted by SIGINT\n/);
  });

  test('by itself does not, either', async () => {
    const stdin = garbage(function (this: Readable) {
      this.destroy(new Error('the rest is lost'));
    });
    const { exitCode, stderr } = await run({ stdin });
    expect({ exitCode, stderr }).toEqual({ exitCode: 9, stderr: expect.not.stringContaining('bug') });
    expect(stderr).toMatch(
      /WARN.* The clean-up failed as well: cannot read the archive from stdin: the rest is lost\n/,
    );
  });
});

describe('extended help', () => {
  const helped = async (argv: readonly string[], env: Record<string, string>) => {
    let text = '';
    const write = (bytes: Buffer): Promise<void> => {
      text += bytes.toString();
      return Promise.resolve();
    };
    const stdout = { open: () => ({ write, commit: () => Promise.resolve() }) };
    return { ...(await run({ argv, env, stdout })), isExtended: text.includes('[DTR_REPLICA_ID]') };
  };

  test.each(['DTR_EXTENDED_HELP', 'MSR_EXTENDED_HELP'])('asked for by %s is printed, and ends with 2', async (name) => {
    const { exitCode, stderr, isExtended } = await helped(['backup'], { [name]: 'true' });
    expect({ exitCode, isExtended }).toEqual({ exitCode: 2, isExtended: true });
    expect(stderr).toContain('DTR_EXTENDED_HELP (MSR_EXTENDED_HELP) is set: help was printed, nothing else done');
    expect((await helped(['backup'], { [name]: 'false' })).isExtended).toBe(false);
  });

  test('asked for by a flag ends with 0', async () => {
    for (const flag of ['--help-extended', '--help-extended=true', '--help']) {
      const env = flag === '--help' ? { MSR_EXTENDED_HELP: '1' } : {};
      expect(await helped(['backup', flag], env)).toEqual({ exitCode: 0, isExtended: true, stderr: '' });
    }
    expect(await helped(['backup', '--help'], {})).toEqual({ exitCode: 0, isExtended: false, stderr: '' });
  });
});

test('a failure before there is a log is reported as a bug', async () => {
  const env = new Proxy({}, { get: () => { throw new Error('no environment'); } }); // prettier-ignore
  const { exitCode, stderr } = await run({ env });
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: expect.stringMatching(/FATA.* a bug: no environment\n/),
  });
});
