/**
 * Uploads that are killed at random times: whatever is visible at the end is whole. Half of them by SIGKILL, half by
 * SIGTERM, which also leaves no parts.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { announceServer } from '../support/direct-mode.js';
import { Program, runProgram } from '../support/program.js';
import { startReqlServer, type ReqlServer } from '../support/replica/reql-server.js';
import { seedEvents } from '../support/replica/seed-events.js';
import { scaled } from '../support/scale.js';
import { startScriptedS3, type ScriptedS3 } from '../support/store/scripted-s3.js';
import { backupFlags } from './fault-case.js';

let server: ReqlServer;
let s3: ScriptedS3;

beforeAll(async () => {
  server = await startReqlServer();
  announceServer(server);
  // Several parts.
  await seedEvents(server, 20_000);
  s3 = await startScriptedS3();
}, 120_000);
afterAll(async () => {
  await s3[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function upload(key: string): Program {
  const env = {
    ...{ AWS_ENDPOINT_URL_S3: s3.endpoint, DTR_S3_PATH_STYLE: 'true', AWS_ACCESS_KEY_ID: 'key' },
    AWS_SECRET_ACCESS_KEY: 'secret',
  };
  return new Program(backupFlags(server, ['--no-encrypt', '--output', `s3://bucket/${key}`]), { env });
}

test('every object that is visible after a kill verifies', async () => {
  const startMs = performance.now();
  const whole = await upload('whole.tar').ended();
  const wholeMs = performance.now() - startMs;
  expect(whole).toMatchObject({ exitCode: 0 });
  let killed = 0;
  for (let run = 0; run < scaled(6, 200); run += 1) {
    const signal = run % 2 === 0 ? 'SIGKILL' : 'SIGTERM';
    s3.uploads.clear();
    const key = `run-${run}.tar`;
    const program = upload(key);
    // A little beyond the end, too: some are killed while they complete, some not at all.
    const timer = setTimeout(() => program.child.kill(signal), Math.random() * wholeMs * 1.1);
    const { exitCode } = await program.ended();
    clearTimeout(timer);
    if (exitCode !== 0) killed += 1;
    const object = s3.objects.get(key);
    if (exitCode === 0) expect(object).toBeDefined();
    if (object !== undefined) {
      const verified = await runProgram(['verify', '-'], { stdin: object.body });
      expect({ run, ...verified }).toMatchObject({ exitCode: 0 });
    }
    if (signal === 'SIGTERM') expect([run, s3.uploads.size]).toEqual([run, 0]);
    s3.objects.delete(key);
  }
  process.stderr.write(`${killed} uploads were killed\n`);
}, 1_200_000);
