/** Simple index functions as terms, from the text in which RethinkDB prints them (alike in 2.3.7 and 2.4.4). */
import type { SecondaryIndex } from '../model/table.js';
import { rawTerm, term, type RawTerm } from './wire/term.js';

/** RethinkDB escapes nothing when it prints: a text that may hold a quote can be read in two ways. */
const quote = 0x22;
/** Without U+FFFD: that stands for what was not UTF-8. */
const text = String.raw`"[^"\\\u0000-\u001f\ufffd]*"`;
const steps = String.raw`(?:\(${text}\)|\.getField\(${text}\))`;

/**
 * The arguments of `indexCreate` that follow the name: none for the field of that name, or one function. Undefined where the
 * printed text does not tell all of it: only fields, fields of fields and arrays of these are read.
 */
export function parseIndexQuery(index: SecondaryIndex): readonly RawTerm[] | undefined {
  const { name, query = '', function: code = '' } = index;
  if (Buffer.from(code, 'base64').includes(quote)) return undefined;
  const head = `indexCreate('${name}', function(`;
  const tail = `; }${printedOptions(index)})`;
  if (!query.startsWith(head) || !query.endsWith(tail)) return undefined;
  const [, variable = '', body = ''] =
    /^(_?var\d+)\) \{ return (.*)$/.exec(query.slice(head.length, -tail.length)) ?? [];
  // RethinkDB's own variable, which no client can name.
  if (variable.startsWith('_')) return body === `${variable}.getField("${name}")` ? [] : undefined;
  const field = `(?:${variable}|r\\.row(?=\\())${steps}+`;
  const [, list, single] =
    new RegExp(`^(?:r\\.expr\\(\\[(${field}(?:, ${field})*)\\]\\)|(${field}))$`).exec(body) ?? [];
  const fields = (list ?? single)?.match(new RegExp(field, 'g'));
  if (!fields) return undefined;
  const number = variable.slice('var'.length);
  const terms = fields.map((printed) => fieldTerm(printed, number));
  const value = list === undefined ? (terms[0] ?? []) : rawTerm(term.makeArray, terms);
  return [rawTerm(term.func, [rawTerm(term.makeArray, [[number]]), value])];
}

export function printedOptions({ multi, geo }: SecondaryIndex): string {
  const options = [...(multi ? ['multi: true'] : []), ...(geo ? ['geo: true'] : [])];
  return options.length === 0 ? '' : `, {${options.join(', ')}}`;
}

/** `var1("a")("b")`, `r.row("a")`, `var1.getField("a")`. */
function fieldTerm(printed: string, variable: string): RawTerm {
  const document = printed.startsWith('r.row')
    ? rawTerm(term.implicitVariable, [])
    : rawTerm(term.variable, [[variable]]);
  const taken = printed.matchAll(new RegExp(`(\\.getField)?\\((${text})\\)`, 'g'));
  return [...taken].reduce(
    (of, [, getField, name = '']) => rawTerm(getField === undefined ? term.bracket : term.getField, [of, [name]]),
    document,
  );
}
