/** The end of an archive, whose output fails: in a process of its own, as archiver may throw where nobody can catch it. */
import { expect, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { Command } from '../../../support/command.js';

const tail = fileURLToPath(new URL('../../../../../dist/archive/entries/tail.js', import.meta.url));

/** Writes a tail of many files into an output whose write number `failing` fails, and says what comes of it. */
const script = `
  const { writeTail } = await import(process.argv[1]);
  const failing = Number(process.argv[2]);
  let writes = 0;
  const output = {
    name: 'the output',
    write: () => new Promise((resolve, reject) => {
      writes += 1;
      setImmediate(() => (writes === failing ? reject(new Error('no more')) : resolve()));
    }),
  };
  const files = Array.from({ length: 50 }, (_, index) => ({ path: 'file' + index, body: Buffer.alloc(5000) }));
  await writeTail(output, files, new Date(0)).then(
    () => console.log('written with ' + (writes > 50)),
    (error) => console.log(error.message),
  );
`;

async function run(failing: number): Promise<{ exitCode: number | null; printed: string; stderr: string }> {
  const command = [process.execPath, '--input-type=module', '--eval', script, tail, String(failing)];
  const { exitCode, stdout, stderr } = await new Command(command).ended();
  return { exitCode, printed: stdout.toString().trim(), stderr };
}

test('is written where nothing fails', async () => {
  expect(await run(0)).toEqual({ exitCode: 0, printed: 'written with true', stderr: '' });
});

test.each([1, 2, 3, 10, 40])('write %d that fails is the failure, and no other', async (failing) => {
  expect(await run(failing)).toEqual({ exitCode: 0, printed: 'no more', stderr: '' });
});
