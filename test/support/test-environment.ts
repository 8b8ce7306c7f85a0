/**
 * Jest's environment of Node, with three additions.
 *
 * A test file must close what it opens: a socket, server, child process or timer that is left, or a thread that still
 * reads, would keep the worker process from ending, and Jest would kill it, with the coverage that it has counted.
 *
 * A worker ends when Jest tells it to, also where something is left: the failure is the test file's, the coverage is not
 * lost.
 *
 * Globals are quick. Tests run in a context of node:vm, where each look at a global (`Math`, `Buffer`) goes through an
 * interceptor and takes some fifty times as long. A name that a script declares in that context is found before it:
 * measured, a loop with `Math.imul` takes 2 ns a turn instead of 130.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Script } from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';

const names = [
  ...[
    'Array',
    'ArrayBuffer',
    'BigInt',
    'Boolean',
    'Buffer',
    'DataView',
    'Error',
    'JSON',
    'Map',
    'Math',
    'Number',
    'Object',
  ],
  ...['Promise', 'RangeError', 'Reflect', 'RegExp', 'Set', 'String', 'Symbol', 'TypeError', 'URL', 'Uint8Array'],
];
const declare = new Script(names.map((name) => `const ${name} = globalThis.${name};`).join('\n'));

/** The first part of what Jest tells a worker at its end: `CHILD_MESSAGE_END` of jest-worker 30. */
const endOfWorker = 2;

process.on('message', (message) => {
  if (Array.isArray(message) && message[0] === endOfWorker) process.exit();
});

/** Long enough for sockets and processes that are closing, also on a busy machine. */
const closeTimeoutMs = 10_000;

export default class Environment extends TestEnvironment {
  readonly #openBefore = openResources();

  override async setup(): Promise<void> {
    await super.setup();
    if (this.context !== null) declare.runInContext(this.context);
  }
  /** Rejects with what the test file left open, which fails it. */
  override async teardown(): Promise<void> {
    const left = await this.#leftOpen();
    await super.teardown();
    if (left.length > 0) throw new Error(`the tests left open: ${left.join(', ')}`);
  }

  async #leftOpen(): Promise<readonly string[]> {
    const deadline = performance.now() + closeTimeoutMs;
    for (;;) {
      const left = subtract(openResources(), this.#openBefore);
      if (left.length === 0 || performance.now() > deadline) return left;
      await pause(20);
    }
  }
}

/** By kind, what keeps this process from ending. */
function openResources(): readonly string[] {
  return process.getActiveResourcesInfo();
}

function subtract(all: readonly string[], some: readonly string[]): readonly string[] {
  const left = [...all];
  for (const one of some) if (left.includes(one)) left.splice(left.indexOf(one), 1);
  return left;
}
