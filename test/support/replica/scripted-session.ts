/** A session with a server that is scripted (scripted-server.ts): each query is answered at once, as the test tells. */
import { RethinkSession } from '#src/rethink/session.js';
import { createRecordedLog, type RecordedLog } from '../recorded-log.js';
import { frame, startScriptedServer } from './scripted-server.js';

/** The answer to the query number `count` (from 0), without its token; undefined hangs up instead. */
export type Answers = (term: unknown, count: number) => object | undefined;

/** Gives what `use` gives; server and session are closed then. */
export async function withScriptedSession<T>(
  answers: Answers,
  use: (session: RethinkSession, log: RecordedLog) => Promise<T>,
  { connectWindowMs = 5000 }: { readonly connectWindowMs?: number } = {},
): Promise<T> {
  let count = 0;
  await using server = await startScriptedServer(({ token, term }, socket) => {
    const answer = answers(term, count);
    count += 1;
    if (answer === undefined) socket.destroy();
    else socket.write(frame(token, JSON.stringify(answer)));
  });
  const { host, port } = server;
  const bounds = { insecureSkipVerify: false, connectWindowMs, readTimeoutMs: 20_000 };
  const log = createRecordedLog();
  const { signal } = new AbortController();
  await using session = new RethinkSession({ address: { host, port }, ...bounds }, { log, signal });
  return await use(session, log);
}

/** What `ask` gives of a server with these answers, in turn, and the terms that came to it. */
export async function asked<T>(
  ask: (session: RethinkSession) => Promise<T>,
  ...answers: readonly object[]
): Promise<{ readonly value: T; readonly terms: readonly unknown[] }> {
  const terms: unknown[] = [];
  const value = await withScriptedSession((term, count) => {
    terms.push(term);
    return answers[count];
  }, ask);
  return { value, terms };
}

/** One value. */
export const atom = (value: unknown): object => ({ t: 1, r: [value], n: [] });

/** A runtime error of this type of RethinkDB's protocol. */
export const runtimeError = (errorType: number, text: string): object => ({ t: 18, e: errorType, r: [text], b: [] });

/** `ErrorType` of RethinkDB's protocol. */
export const errorTypes = {
  internal: 1_000_000,
  logic: 3_000_000,
  opFailed: 4_100_000,
  opIndeterminate: 4_200_000,
  permission: 6_000_000,
} as const;
