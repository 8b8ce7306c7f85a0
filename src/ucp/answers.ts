/** Making sense of the texts UCP answers with: JSON that was asked for, and refusals. */
import { z } from 'zod';
import { withTimeout } from '../base/deadline.js';
import type { Secret } from '../base/secret.js';
import { readText } from './body.js';
import { quoteAnswer, unreachable } from './failures.js';
import type { UcpResponse } from './transport.js';

/**
 * Throws a UcpFailure with exit code 4 where `text` is not JSON or `parse` does not accept it. What JSON.parse itself
 * throws is left out on purpose: it quotes the text, which may hold a token.
 */
export function readJson<T>(text: string, parse: (value: unknown) => T, who: string, asked: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const what = text.trimStart().startsWith('<') ? 'a page in HTML' : 'broken JSON';
    throw unreachable(`${who} answered ${asked} with ${what}; is it really UCP?`);
  }
  try {
    return parse(value);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    const place = issue === undefined || issue.path.length === 0 ? 'its root' : issue.path.join('.');
    throw unreachable(`${who} answered ${asked} with JSON of another shape (at ${place}); is it really UCP?`);
  }
}

/** The Docker API's form of an error, and UCP's (`GET /containers/x/json` of an unknown x: `{"message": "…"}`). */
const refusalShape = z.union([
  z.object({ message: z.string() }).transform(({ message }) => message),
  z.object({ errors: z.array(z.object({ message: z.string() })).min(1) }).transform(({ errors }) => errors[0]?.message),
]);

const maxRefusalBytes = 16 * 1024;
const maxWaitMs = 5000;

/** The reason UCP gives, as `: <reason>`, or nothing where it gives none that can be read. Destroys the body. */
export async function readRefusal({ body }: UcpResponse, token: Secret, signal: AbortSignal): Promise<string> {
  const notRead = (): Error => new Error('not worth waiting for');
  try {
    const text = await withTimeout(readText(body, maxRefusalBytes, notRead), maxWaitMs, notRead, signal);
    const reason = quoteAnswer(refusalMessage(text) ?? text, token);
    return reason === '' ? '' : `: ${reason}`;
  } catch {
    if (signal.aborted) throw signal.reason;
    return '';
  } finally {
    body.destroy();
  }
}

function refusalMessage(text: string): string | undefined {
  try {
    return refusalShape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
