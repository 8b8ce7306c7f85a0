/**
 * Answers of RethinkDB. Documents are taken as the bytes that came: RethinkDB writes the rows of an answer with the same
 * writer as `toJSON()` (client_protocol/json.cc and datum.cc of RethinkDB 2.4). Parsing an answer to get its rows takes
 * four times as long (measured).
 */
import { z } from 'zod';

/** An error that the server answered with. */
export class ReqlError extends Error {
  override readonly name = 'ReqlError';

  /** `type` is one of `errorTypes`, another, or undefined: before RethinkDB 2.3 errors have none. */
  constructor(
    message: string,
    readonly type: number | undefined,
  ) {
    super(message);
  }
}

/** `ErrorType` of ql2.proto. */
export const errorTypes = {
  internal: 1_000_000,
  logic: 3_000_000,
  opFailed: 4_100_000,
  opIndeterminate: 4_200_000,
  permission: 6_000_000,
} as const;

/** `ResponseType` of ql2.proto. */
export const responseTypes = { atom: 1, sequence: 2, partial: 3 } as const;

const answerSchema = z.object({ t: z.number(), r: z.array(z.unknown()), e: z.number().optional() });

interface Answer {
  readonly type: number;
  readonly results: readonly unknown[];
}

/** Throws a ReqlError where the answer is an error, and an Error where it is none of the protocol. */
export function parseAnswer(bytes: Buffer): Answer {
  let answer: z.infer<typeof answerSchema>;
  try {
    answer = answerSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    // Without the cause: what JSON.parse says quotes the answer, which may be a private key.
    throw new Error('the server sent an answer that is not JSON of its protocol');
  }
  const { t: type, r: results, e: errorType } = answer;
  if ((Object.values(responseTypes) as number[]).includes(type)) return { type, results };
  throw new ReqlError(String(results[0]), errorType);
}

const head = /^\{"t":([23]),"r":\[/;
const headBytes = '{"t":3,"r":['.length;

const newline = 0x0a;
const quote = 0x22;
const comma = 0x2c;
const bracket = { open: 0x5b, close: 0x5d };
const backslash = 0x5c;
const brace = { open: 0x7b, close: 0x7d };

/** Whether more rows follow those of this answer. Throws a ReqlError where it is an error, and an Error where it has no rows. */
export function hasMoreRows(answer: Buffer): boolean {
  const [, type] = head.exec(answer.toString('latin1', 0, headBytes)) ?? [];
  if (type !== undefined) return Number(type) === responseTypes.partial;
  parseAnswer(answer);
  throw new Error('the server sent an answer without rows');
}

/**
 * The rows of an answer that has rows, in order, each a JSON object followed by one newline. Splits the answer in place:
 * what separates two rows becomes the newline. Throws where a row is not a JSON object on one line.
 */
export function splitRows(answer: Buffer): Buffer {
  if (answer.includes(newline)) throw new Error('the server sent a document of more than one line');
  return answer.subarray(headBytes, answer[headBytes] === bracket.close ? headBytes : separateRows(answer));
}

/** Returns where the rows end. */
function separateRows(answer: Buffer): number {
  let depth = 0;
  for (let at = headBytes; at < answer.length; at += 1) {
    const byte = answer[at];
    if (byte === quote) at = endOfText(answer, at);
    else if (byte === brace.open || byte === bracket.open) depth += 1;
    else if (byte === brace.close || (byte === bracket.close && depth > 0)) {
      depth -= 1;
      if (depth > 0) continue;
      at += 1;
      const follows = answer[at];
      answer[at] = newline;
      if (follows === bracket.close && byte === brace.close) return at + 1;
      if (follows !== comma || answer[at + 1] !== brace.open) break;
    } else if (depth === 0) break;
  }
  throw new Error('the server sent a document that is not an object');
}

/** The position of the closing quote of the text that begins at `start`. */
function endOfText(answer: Buffer, start: number): number {
  for (let end = answer.indexOf(quote, start + 1); end !== -1; end = answer.indexOf(quote, end + 1)) {
    let before = end - 1;
    while (answer[before] === backslash) before -= 1;
    if ((end - before) % 2 === 1) return end;
  }
  return answer.length;
}
