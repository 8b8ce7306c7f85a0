/** Answers of the UCP stand-in, and how a fault lets them arrive. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Fault } from './faults.js';

export interface StandInRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The same as it came: a tar is no text. */
  readonly bytes?: Buffer;
}

export interface StandInAnswer {
  readonly status: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Readable;
}

export function json(status: number, value: unknown): StandInAnswer {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}

/** An error as the Docker Engine API words it. */
export function refusal(status: number, message: string): StandInAnswer {
  return json(status, { message });
}

/** What is answered in place of doing anything; undefined where the request is carried out. */
export function answerInstead(fault: Fault | undefined, request: StandInRequest): StandInAnswer | undefined {
  switch (fault?.kind) {
    case 'status':
      return {
        ...refusal(fault.status, fault.message ?? `stand-in: status ${fault.status}`),
        ...(fault.retryAfter !== undefined && { headers: { 'retry-after': fault.retryAfter } }),
      };
    case 'redirect':
      return { status: 302, headers: { location: fault.location } };
    case 'html':
      return { status: fault.status ?? 200, type: 'text/html', body: '<!doctype html>\n<title>Sign in</title>\n' };
    case 'body':
      return { status: 200, type: 'application/json', body: fault.body };
    case 'echo':
      return refusal(fault.status, `bad request:\n${request.headers.authorization ?? ''}\n${request.body}`);
    case 'late':
    case 'hang':
    case 'reset':
    case 'lost-answer':
    case 'stall':
    case 'trickle':
    case 'cut':
    case undefined:
      return undefined;
  }
}

/** Sends the answer, as far as the fault allows. */
export async function deliver(
  answer: StandInAnswer,
  fault: Fault | undefined,
  response: ServerResponse,
): Promise<void> {
  if (fault?.kind === 'lost-answer') {
    response.destroy();
    return;
  }
  response.writeHead(answer.status, { ...(answer.type && { 'content-type': answer.type }), ...answer.headers });
  const { body: given = '' } = answer;
  const body = typeof given === 'string' ? Readable.from([Buffer.from(given)]) : given;
  if (fault?.kind === 'stall' || fault?.kind === 'cut' || fault?.kind === 'trickle') {
    const whole = await buffer(body);
    if (fault.kind === 'trickle') trickle(whole.subarray(whole.length / 2), response);
    response.write(whole.subarray(0, whole.length / 2), () => {
      if (fault.kind === 'cut') response.destroy();
    });
  } else {
    await pipeline(body, response);
  }
}

function trickle(rest: Buffer, response: ServerResponse): void {
  let sent = 0;
  const timer = setInterval(() => {
    // Also where it was closed before this began.
    if (response.destroyed) clearInterval(timer);
    else if (sent < rest.length) response.write(rest.subarray(sent, (sent += 1)));
  }, 50);
}
