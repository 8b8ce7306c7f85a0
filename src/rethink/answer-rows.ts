/**
 * The rows of one answer as the bytes that came. RethinkDB's JSON protocol writes the rows of a query with the same
 * writer that `toJSON()` uses (client_protocol/json.cc and datum.cc of RethinkDB 2.4), so the text of a document is
 * there already: parsing an answer to get at it costs four times as much (measured), and text within text a tenth more.
 */

const head = /^\{"t":([23]),"r":\[/;
const headBytes = '{"t":3,"r":['.length;

const newline = 0x0a;
const quote = 0x22;
const comma = 0x2c;
const bracket = { open: 0x5b, close: 0x5d };
const backslash = 0x5c;
const brace = { open: 0x7b, close: 0x7d };

/** The type of an answer that has rows: SUCCESS_SEQUENCE (2) or SUCCESS_PARTIAL (3). Undefined for any other. */
export function rowsTypeOf(answer: Buffer): number | undefined {
  const [, type] = head.exec(answer.toString('latin1', 0, headBytes)) ?? [];
  return type === undefined ? undefined : Number(type);
}

/**
 * The rows of an answer that has rows, in order, each a JSON object followed by one newline. Splits it in its place:
 * what stands between two rows becomes the newline. Throws when rows are no JSON objects of one line each.
 */
export function splitRows(answer: Buffer): Buffer {
  // Newlines are laid over it, so none may be there.
  if (answer.includes(newline)) throw new Error('the server sent a document of more than one line');
  return answer.subarray(headBytes, answer[headBytes] === bracket.close ? headBytes : separateRows(answer));
}

/** Gives where the rows end. */
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
  throw new Error('the server sent a document that is no object');
}

/** Where the text ends that begins at `start`: at the next quote that is not escaped. */
function endOfText(answer: Buffer, start: number): number {
  for (let end = answer.indexOf(quote, start + 1); end !== -1; end = answer.indexOf(quote, end + 1)) {
    let before = end - 1;
    while (answer[before] === backslash) before -= 1;
    if ((end - before) % 2 === 1) return end;
  }
  return answer.length;
}
