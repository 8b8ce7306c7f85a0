/**
 * The documents that break backups: every pseudo-type, text and number a ReQL server takes and every type of primary key,
 * as JSON texts, because the driver's own parser loses some of them. Measured against RethinkDB 2.4.4.
 */
import { r, type Connection } from './driver.js';
import type { ReqlServerKind } from './reql-server.js';
import { binary } from './seed-random.js';

export interface OddDocument {
  readonly name: string;
  /** What is sent, and what the server must give back, up to the order of fields and the spelling of numbers. */
  readonly json: string;
  /** Left out for a server that refuses it. */
  readonly refusedBy?: ReqlServerKind;
}

function time(epochTime: string, timezone: string): string {
  return `{"$reql_type$":"TIME","epoch_time":${epochTime},"timezone":"${timezone}"}`;
}

/** RethinkDB gives base64 in lines of 76 characters, whatever it was given. */
export function binaryJson(bytes: Buffer): string {
  const { $reql_type$, data } = binary(bytes) as { $reql_type$: string; data: string };
  return JSON.stringify({ $reql_type$, data: data.replace(/.{76}(?!$)/g, '$&\r\n') });
}

function geometry(type: string, coordinates: unknown): string {
  return JSON.stringify({ $reql_type$: 'GEOMETRY', type, coordinates });
}

function nested(depth: number, open: string, close: string, core: string): string {
  return open.repeat(depth) + core + close.repeat(depth);
}

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const square = [
  [0, 0],
  [0, 5],
  [5, 5],
  [5, 0],
  [0, 0],
];

const values: Readonly<Record<string, string>> = {
  timeUtc: time('1500000000', '+00:00'),
  timeHalfHourZone: time('1500000000.123', '+05:30'),
  timeWestBeforeEpoch: time('-0.001', '-12:59'),
  timeFarPast: time('-62135596800', '+14:00'),
  timeFarFuture: time('253402300799.999', '-00:01'),
  timesInArray: `[${time('1.5', '+01:00')},{"at":${time('2.25', '-03:30')}}]`,
  binaryEmpty: binaryJson(Buffer.alloc(0)),
  binaryOneLine: binaryJson(Buffer.alloc(57, 0xff)),
  binaryTwoLines: binaryJson(Buffer.alloc(58, 0xff)),
  binaryEveryByte: binaryJson(everyByte),
  binaryLarge: binaryJson(Buffer.alloc(1024 * 1024, everyByte)),
  geometryPoint: geometry('Point', [-122.423246, 37.779388]),
  geometryLine: geometry('LineString', [
    [-122.4, 37.7],
    [-117.2, 32.7],
  ]),
  geometryPolygon: geometry('Polygon', [square]),
  geometryHole: geometry('Polygon', [
    square,
    [
      [1, 1],
      [1, 2],
      [2, 2],
      [2, 1],
      [1, 1],
    ],
  ]),
  textAstral: '"😀𝒳 👩‍👩‍👧"',
  textEscapedAstral: '"\\ud83d\\ude00"',
  textSeparators: '"a\\u2028b\\u2029c\\u0085d"',
  textNul: '"\\u0000before and after\\u0000"',
  textControls: JSON.stringify(Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join('') + '\u007f'),
  textEscapes: '"quote \\" backslash \\\\ slash \\/ \\b\\f\\n\\r\\t"',
  textNormalization: '"\\u00e9 e\\u0301 \\ufeff \\uffff \\ufffd"',
  textLikeJson: '"{\\"a\\":[1,\\"$reql_type$\\"]}"',
  textEmpty: '""',
  numberSmallest: '5e-324',
  numberLargest: '1.7976931348623157e308',
  numberLargestNegative: '-1.7976931348623157e308',
  numberNegativeZero: '-0.0',
  numberTenths: '0.30000000000000004',
  numberThird: '0.3333333333333333',
  number1e21: '1e21',
  number1e20: '100000000000000000000',
  numberBeforeSafe: '9007199254740991',
  numberPastSafe: '9007199254740992',
  numberNegativePastSafe: '-9007199254740994',
  numberTiny: '1.5e-7',
  literals: '[null,true,false,0,1]',
  emptyObject: '{}',
  emptyArray: '[]',
  emptyInside: '{"":{"":[{},[],""]}}',
  protoField: '{"__proto__":{"admin":true},"__proto__x":1}',
  constructorField: '{"constructor":{"prototype":{"x":1}},"toString":1,"hasOwnProperty":null,"valueOf":[]}',
  reqlTypeLikeText: '{"reql_type":"TIME","$reql_type":"TIME","$reql_type$x":"BINARY","text":"$reql_type$"}',
  fieldNames: '{"a.b":1,"a b":2,"$":3,"\\u0000":4,"😀":5,"\\"":6,"length":7,"0":8}',
  deepArrays: nested(400, '[', ']', '1'),
  deepObjects: nested(400, '{"a":', '}', 'null'),
  manyItems: `[${Array.from({ length: 20_000 }, (_, index) => index).join(',')}]`,
};

/** Documents of one table with the primary key `id`; each id is the name. */
export const oddDocuments: readonly OddDocument[] = [
  ...Object.entries(values).map(([name, json]) => ({ name, json: `{"id":"${name}","value":${json}}` })),
  // The whole document's own fields.
  { name: 'protoAtTop', json: '{"id":"protoAtTop","__proto__":{"admin":true},"constructor":"c"}' },
  { name: 'loneSurrogate', json: '{"id":"loneSurrogate","value":"a\\ud83d"}', refusedBy: 'rethinkdb' },
];

/** Primary keys of every type as JSON texts, in the order in which RethinkDB gives them. */
export const oddKeys: readonly string[] = [
  ...[
    '[]',
    '[[1]]',
    '[true]',
    '[1]',
    '[1,2]',
    '["a",1]',
    JSON.stringify(['g'.repeat(99), 'root', 7]),
    '["\\uffff"]',
    '["😀"]',
  ],
  ...['false', 'true'],
  ...['-1.7976931348623157e308', '-1', '0', '5e-324', '0.1', '1', '9007199254740992', '1e308'],
  ...[Buffer.alloc(0), Buffer.from([0, 1]), Buffer.from([0xff]), Buffer.alloc(120, 0xff)].map(binaryJson),
  ...[time('-1000000000', '+05:30'), time('1.5', '+00:00'), time('1.501', '+00:00')],
  ...['""', '" "', '"Z"', '"__proto__"', '"a"'],
  ...[126, 127].map((length) => JSON.stringify('k'.repeat(length))),
  ...['"z"', '"é"', '"\\uffff"', '"😀"'],
];

/** Keys that RethinkDB refuses: too long (127 bytes with its own prefix), NUL, null, objects, geometry. */
export const refusedKeys: readonly string[] = [
  ...[JSON.stringify('k'.repeat(128)), JSON.stringify('é'.repeat(64)), JSON.stringify(['g'.repeat(100), 'root', 7])],
  ...['"\\u0000"', 'null', '[null]', '{"a":1}', geometry('Point', [1, 2])],
];

/** One document whose text field holds so many megabytes. */
export function bigDocument(id: string, megabytes: number): string {
  return JSON.stringify({ id, text: 'registry '.repeat((megabytes * 1024 * 1024) / 9) });
}

/** The document of one of `oddKeys`. */
export function keyDocument(key: string): string {
  return `{"id":${key},"key":${key}}`;
}

/**
 * Writes the odd documents that `kind` takes, and those of the odd keys, into one table with the primary key `id`.
 * Resolves with the texts written; rejects when the server refuses one.
 */
export async function insertOddDocuments(
  connection: Connection,
  kind: ReqlServerKind,
  database: string,
  table: string,
  options: { readonly bigMegabytes?: number } = {},
): Promise<readonly string[]> {
  const texts = oddDocuments.filter(({ refusedBy }) => refusedBy !== kind).map(({ json }) => json);
  texts.push(...oddKeys.map(keyDocument));
  if (options.bigMegabytes !== undefined) texts.push(bigDocument('big', options.bigMegabytes));
  for (const text of texts) {
    const { inserted, first_error: error } = await r.db(database).table(table).insert(r.json(text)).run(connection);
    if (inserted !== 1) throw new Error(`${text.slice(0, 80)}: ${error ?? 'refused'}`);
  }
  return texts;
}
