/** Parses the texts UCP answers with: JSON that was asked for, and refusals. */
import { z } from 'zod';
import { UcpError } from './errors.js';

/**
 * Throws a UcpError with exit code 4 that begins with `answered` where `text` is not JSON of this schema. Without what
 * JSON.parse throws: it quotes the text, which may hold a token.
 */
export function parseAnswer<T>(text: string, schema: z.ZodType<T>, answered: string): T {
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  if (parseJson(text) === undefined) {
    const what = text.trimStart().startsWith('<') ? 'a page in HTML' : 'broken JSON';
    throw new UcpError(`${answered} with ${what}; is it really UCP?`);
  }
  const path = result.error.issues[0]?.path ?? [];
  const place = path.length === 0 ? 'its root' : path.join('.');
  throw new UcpError(`${answered} with JSON of another shape (at ${place}); is it really UCP?`);
}

/** An error of the Docker API, and of UCP (`GET /containers/x/json` of an unknown x: `{"message": "…"}`). */
const refusalSchema = z.union([
  z.object({ message: z.string() }).transform(({ message }) => message),
  z.object({ errors: z.array(z.object({ message: z.string() })).min(1) }).transform(({ errors }) => errors[0]?.message),
]);

/** The message of a refusal; undefined where the text is none. */
export function parseRefusal(text: string): string | undefined {
  return refusalSchema.safeParse(parseJson(text)).data;
}

/** Undefined where it is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
