/** A test's visit to a UCP stand-in: signing in with short limits, and judging how a visit failed. */
import { inspect } from 'node:util';
import { JobError } from '#src/base/errors.js';
import type { ExitCode } from '#src/base/exit-codes.js';
import { Secret } from '#src/base/secret.js';
import { parseUcpUrl, type UcpUrl } from '#src/model/replica-access.js';
import { DockerApi } from '#src/ucp/docker-api.js';
import { signIn, type SignInOptions, type UcpSession } from '#src/ucp/session.js';
import { createRecordedLog, type RecordedLog } from '../recorded-log.js';
import { startUcpStandIn, type UcpStandIn, type UcpStandInOptions } from './stand-in.js';

export interface Visit extends AsyncDisposable {
  readonly ucp: UcpStandIn;
  readonly log: RecordedLog;
  readonly stop: AbortController;
  /** With limits fit for a test, unless `changes` says otherwise. */
  signIn(changes?: Partial<SignInOptions>): Promise<UcpSession>;
  /** Signs in for the rest of the visit. */
  docker(changes?: Partial<SignInOptions>): Promise<DockerApi>;
  /**
   * The JobError that `work` fails with. Throws where it does not fail so, has another exit code, more than one line,
   * or where a password or token shows in it, its causes or the log.
   */
  failureOf(work: Promise<unknown>, exitCode: ExitCode): Promise<JobError>;
}

export async function visitUcp(options?: UcpStandInOptions): Promise<Visit> {
  const ucp = await startUcpStandIn(options);
  const log = createRecordedLog();
  const stop = new AbortController();
  const open: AsyncDisposable[] = [ucp];
  const visit: Visit = {
    ucp,
    log,
    stop,
    signIn: (changes = {}) => {
      const { username, password } = ucp.accounts;
      const base = { url: urlOf(ucp.url), username, password: new Secret(password), ca: ucp.caPem, insecureTls: false };
      return signIn({ ...base, timeoutMs: 5000, retryWindowMs: 5000, ...changes }, { log, signal: stop.signal });
    },
    docker: async (changes) => {
      const session = await visit.signIn(changes);
      open.unshift(session);
      return new DockerApi(session);
    },
    failureOf: async (work, exitCode) => {
      const error = await work.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof JobError)) throw new Error(`expected a JobError, but got: ${inspect(error)}`);
      if (error.exitCode !== exitCode) throw new Error(`exit code ${error.exitCode}: ${error.message}`);
      if (/[\r\n]/.test(error.message)) throw new Error(`more than one line: ${error.message}`);
      const seen = [inspect(error, { depth: 8, showHidden: true }), ...log.lines].join('\n');
      const escaped = (secret: string): string => JSON.stringify(secret).slice(1, -1);
      const leaked = ucp.accounts.secrets.find((secret) => seen.includes(secret) || seen.includes(escaped(secret)));
      if (leaked !== undefined) throw new Error(`a secret shows: ${leaked}`);
      return error;
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of open) await one[Symbol.asyncDispose]();
    },
  };
  return visit;
}

export function urlOf(text: string): UcpUrl {
  const url = parseUcpUrl(text);
  if (url === undefined) throw new Error(`not a URL of UCP: ${text}`);
  return url;
}
