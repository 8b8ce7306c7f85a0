/** The rows of the matrix about archives in S3: the whole program against a scripted server. */
import type { Ended } from '../support/command.js';
import { Program } from '../support/program.js';
import { cut, html, on, refusal } from '../support/store/s3-faults.js';
import { startScriptedS3, type Fault, type ScriptedS3 } from '../support/store/scripted-s3.js';
import { until } from '../support/until.js';
import { backupFlags, type ArchiveVerdict, type FaultCase, type FaultContext } from './fault-case.js';

const key = 'dtr/b.tar';
const secret = 'not-to-be-printed';

function backup(
  { server: reql }: FaultContext,
  { endpoint }: Pick<ScriptedS3, 'endpoint'>,
  ...more: string[]
): Program {
  const env = {
    ...{ AWS_ENDPOINT_URL_S3: endpoint, DTR_S3_PATH_STYLE: 'true', AWS_ACCESS_KEY_ID: 'key' },
    AWS_SECRET_ACCESS_KEY: secret,
  };
  return new Program(backupFlags(reql, ['--no-encrypt', '--output', `s3://bucket/${key}`, ...more]), { env });
}

/** What is visible at the key stands in for stdout. Throws where an upload is left that could be aborted. */
function judged(ended: Ended, s3: ScriptedS3, mayLeaveUpload = false): Ended {
  if (s3.uploads.size > 0 && !mayLeaveUpload) throw new Error('parts of an upload are left');
  if (ended.stderr.includes(secret)) throw new Error('the secret was printed');
  return { ...ended, stdout: s3.objects.get(key)?.body ?? Buffer.alloc(0) };
}

type Row = readonly [
  fault: string,
  fail: Fault | undefined,
  end: {
    readonly exitCode: number;
    readonly says?: RegExp;
    readonly verdict?: ArchiveVerdict;
    readonly flags?: string[];
  },
];

const first = (operation: string, answer: Fault): Fault =>
  on(operation, (exchange) => exchange.count === 1 && answer(exchange));

const rows: readonly Row[] = [
  ['nothing goes wrong, and --verify reads it back', undefined, { exitCode: 0, verdict: 'whole', flags: ['--verify'] }],
  ['there is no such bucket', refusal(404, 'NoSuchBucket'), { exitCode: 8, says: /no such bucket/ }],
  ['the access key is wrong', refusal(403, 'InvalidAccessKeyId'), { exitCode: 8, says: /AWS_ACCESS_KEY_ID/ }],
  ['the secret is wrong', refusal(403, 'SignatureDoesNotMatch'), { exitCode: 8, says: /AWS_SECRET_ACCESS_KEY/ }],
  ['the clocks differ', refusal(403, 'RequestTimeTooSkewed'), { exitCode: 8, says: /clock/ }],
  [
    'the session token expires in mid-upload',
    on('UploadPart', refusal(400, 'ExpiredToken')),
    { exitCode: 8, says: /session token has expired/ },
  ],
  ['the endpoint speaks HTML', html, { exitCode: 8, says: /does not answer as S3 does/ }],
  [
    'the server is full in mid-upload',
    on('UploadPart', refusal(507, 'XMinioStorageFull')),
    { exitCode: 8, says: /no space/ },
  ],
  [
    'the server answers 503 SlowDown once for every kind of request',
    (exchange) => exchange.count === 1 && refusal(503, 'SlowDown')(exchange),
    { exitCode: 0, verdict: 'whole' },
  ],
  [
    'the connection is cut at the second part',
    (exchange) => on('UploadPart', exchange.count === 2 ? cut : () => false)(exchange),
    { exitCode: 0, verdict: 'whole' },
  ],
  ['the connection is cut at every part', on('UploadPart', cut), { exitCode: 8 }],
  [
    'there is no right to write',
    on('CreateMultipartUpload', refusal(403, 'AccessDenied')),
    { exitCode: 8, says: /access denied/ },
  ],
  [
    'there is a right to write, and neither to read nor to list',
    (exchange) => !/Upload|Complete|PutObject/.test(exchange.operation) && refusal(403, 'AccessDenied')(exchange),
    { exitCode: 0, verdict: 'whole' },
  ],
  [
    'the server stored other bytes of a part than were sent',
    first('UploadPart', ({ response }) => {
      response.writeHead(200, { etag: `"${'0'.repeat(32)}"` }).end();
      return true;
    }),
    { exitCode: 8, says: /stored other bytes/ },
  ],
  [
    'the completion is answered by 200 with an error in the body',
    on('CompleteMultipartUpload', refusal(200, 'InternalError')),
    { exitCode: 8 },
  ],
  [
    'the answer to the completion is lost',
    first('CompleteMultipartUpload', (exchange) => {
      exchange.response.on('finish', () => undefined);
      exchange.response.end = (() => exchange.response) as typeof exchange.response.end;
      exchange.proceed();
      exchange.cut();
      return true;
    }),
    { exitCode: 0, verdict: 'whole' },
  ],
  [
    'If-None-Match is not known to the server',
    on(
      'CompleteMultipartUpload',
      (exchange) => exchange.request.headers['if-none-match'] !== undefined && refusal(501, 'NotImplemented')(exchange),
    ),
    { exitCode: 0, verdict: 'whole' },
  ],
];

const s3Rows = rows.map(([fault, fail, { exitCode, says, verdict = 'nothing', flags = [] }]): FaultCase => ({
  area: 'S3',
  ...{ fault, exitCode, verdict },
  ...(says !== undefined && { says }),
  run: async (context) => {
    await using s3 = await startScriptedS3();
    s3.fault = fail;
    return judged(await backup(context, s3, ...flags).ended(), s3);
  },
}));

export const s3Cases: readonly FaultCase[] = [
  ...s3Rows,
  {
    area: 'S3',
    fault: 'an object of the same key is there, and stays',
    exitCode: 8,
    says: /b\.tar (exists|is there)/,
    verdict: 'refused',
    run: async (context) => {
      await using s3 = await startScriptedS3();
      s3.objects.set(key, { body: Buffer.from('precious'), etag: '"1"', metadata: {} });
      return judged(await backup(context, s3).ended(), s3);
    },
  },
  {
    area: 'S3',
    fault: 'an object of the same key appears while the archive is uploaded, and stays',
    exitCode: 8,
    says: /appeared/,
    verdict: 'refused',
    run: async (context) => {
      await using s3 = await startScriptedS3();
      s3.fault = on('CompleteMultipartUpload', (exchange) => {
        if (exchange.count === 1) s3.objects.set(key, { body: Buffer.from('precious'), etag: '"1"', metadata: {} });
        return refusal(412, 'PreconditionFailed')(exchange);
      });
      return judged(await backup(context, s3).ended(), s3);
    },
  },
  ...(['SIGTERM', 'SIGKILL'] as const).map((signal): FaultCase => ({
    area: 'S3',
    fault: `${signal} in mid-upload${signal === 'SIGKILL' ? ': parts are left, and no object' : ': the upload is aborted'}`,
    exitCode: signal === 'SIGTERM' ? 143 : 'SIGKILL',
    verdict: 'nothing',
    run: async (context) => {
      await using s3 = await startScriptedS3();
      // The second part is never answered.
      s3.fault = on('UploadPart', ({ count }) => count > 1);
      const program = backup(context, s3);
      const ended = program.ended();
      await until('the second part has come', () => s3.operations.filter((one) => one === 'UploadPart').length > 1);
      program.child.kill(signal);
      return judged(await ended, s3, signal === 'SIGKILL');
    },
  })),
  {
    area: 'S3',
    fault: 'what --verify reads back has other bytes: the object is removed again',
    exitCode: 9,
    says: /is not what was written/,
    verdict: 'nothing',
    run: async (context) => {
      await using s3 = await startScriptedS3();
      s3.fault = on('GetObject', () => {
        const kept = s3.objects.get(key);
        if (kept === undefined) return false;
        const body = Buffer.from(kept.body);
        body.write('x', 100_000);
        s3.objects.set(key, { ...kept, body });
        return false;
      });
      return judged(await backup(context, s3, '--verify').ended(), s3);
    },
  },
  {
    area: 'S3',
    fault: 'nobody listens at the endpoint',
    exitCode: 8,
    says: /nothing listens|refused/,
    verdict: 'nothing',
    run: async (context) => {
      const gone = await startScriptedS3();
      await gone[Symbol.asyncDispose]();
      return judged(await backup(context, gone).ended(), gone);
    },
  },
];
