/** What comes out of a conversion: rows with the journal folded in, other encodings, fewer tables, and an honest manifest. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Plan } from '#src/model/manifest.js';
import { anyText } from '../../support/any-text.js';
import { convertAndCheck, convertBytes, convertReadings } from '../../support/archive/conversion.js';
import { makeArchive, sampleCertificates, sampleJournal, sampleTables } from '../../support/archive/sample.js';
import { foreignTar } from '../../support/archive/tar-blocks.js';
import { scaled } from '../../support/scale.js';

const noChanges = { count: 0, bytes: 0, largestBytes: 0 };

describe('a journal', () => {
  test('is folded into the rows, where they stand, and what is new follows them', async () => {
    const archive = await makeArchive(sampleJournal, { certificates: sampleCertificates });
    const { plan, manifest, documents, names, files } = await convertAndCheck(archive);
    expect(documents('properties')).toEqual(['{"key":"a","value":2}', '{"key":"c","value":1}']);
    expect(documents('tags')).toEqual(['{"pk":"a/b:latest"}']);
    expect(names.filter((name) => name.includes('/changes/'))).toEqual([]);
    expect(files.get(`${names[0] ?? ''}certs/ca/rethink/cert.pem`)).toEqual(sampleCertificates[0]?.body);
    expect(plan.consistency).toBe('snapshot');
    expect(manifest.tables.map(({ changes }) => changes)).toEqual(Array(3).fill(expect.objectContaining(noChanges)));
    expect(manifest.conversions).toEqual([
      {
        tool: { name: 'dtr-backup', version: '9.9.9' },
        convertedAt: expect.any(String),
        foldedChanges: 4,
        droppedTables: [],
      },
    ]);
  });

  test('may come before a row, which then has the last word', async () => {
    const texts = ['{"id":1}', '{"id":2,"of":"row"}'];
    const changes = [
      '{"new_val":{"id":2,"of":"change"},"type":"add"}',
      '{"new_val":{"id":1,"of":"change"},"old_val":{"id":1},"type":"change"}',
    ];
    const archive = await makeArchive([{ name: 'a', texts, changes }], { journalsInside: true });
    expect((await convertAndCheck(archive)).documents('a')).toEqual(['{"id":1,"of":"change"}', '{"id":2,"of":"row"}']);
  });

  test('keeps the server’s own text of a document', async () => {
    const text = '{"10":1,"2":1.50,"__proto__":{"x":9007199254740993},"id":1}';
    const tables = [{ name: 'a', texts: ['{"id":0}'], changes: [`{"new_val":${text},"old_val":null,"type":"add"}`] }];
    expect((await convertAndCheck(await makeArchive(tables))).documents('a')).toEqual(['{"id":0}', text]);
  });

  test('knows a key again whose TIME has another zone, or whose base64 has other line breaks', async () => {
    const time = (zone: string): string => `{"$reql_type$":"TIME","epoch_time":1,"timezone":"${zone}"}`;
    const binary = (data: string): string => `{"$reql_type$":"BINARY","data":"${data}"}`;
    const tables = [
      {
        name: 'a',
        texts: [`{"id":${time('+00:00')}}`, `{"id":${binary('AAEC')}}`],
        changes: [
          `{"old_val":{"id":${time('+01:00')}},"type":"remove"}`,
          `{"new_val":{"id":${binary('AAEC')},"n":1},"old_val":{"id":${binary('AAEC')}},"type":"change"}`,
        ],
      },
    ];
    expect((await convertAndCheck(await makeArchive(tables))).documents('a')).toEqual([
      `{"id":${binary('AAEC')},"n":1}`,
    ]);
  });

  test('in which a key of encoding dtr is written in two ways is not guessed at', async () => {
    const [one, other] = ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00'];
    const change = `{"new_val":{"id":"${other}"},"old_val":{"id":"${one}"},"type":"change"}`;
    const alterPlan = (plan: Plan): Plan => ({ ...plan, documentEncoding: 'dtr' });
    const archive = await makeArchive([{ name: 'a', texts: [`{"id":"${one}"}`], changes: [change] }], {
      alterPlan,
    });
    await expect(convertBytes(archive)).rejects.toMatchObject({
      exitCode: 9,
      message: expect.stringContaining('change 0 of table a writes its primary key in two ways'),
    });
  });

  test('of any history ends in the state that the history ends in', async () => {
    const keys = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom('a', 'b', ''), fc.constant([1, 'x']));
    const steps = fc.array(fc.tuple(keys, fc.option(anyText, { freq: 2 })), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(60), async (all, cut) => {
        const state = new Map<string, string>();
        const changes: string[] = [];
        let texts: string[] = [];
        for (const [index, [id, value]] of all.entries()) {
          if (index === cut) texts = [...state.values()];
          const identity = JSON.stringify(id);
          const before = state.get(identity);
          const after = value === null ? undefined : JSON.stringify({ id, value, new_val: { index } });
          if (after === undefined) state.delete(identity);
          else state.set(identity, after);
          const type = after === undefined ? 'remove' : before === undefined ? 'add' : 'change';
          const isNothing = after === undefined && before === undefined;
          if (index < cut || isNothing) continue;
          changes.push(`{"new_val":${after ?? 'null'},"old_val":${before ?? 'null'},"type":"${type}"}`);
        }
        if (cut >= all.length) texts = [...state.values()];
        const tables = [{ name: 'a', texts, changes }];
        // Without a single change it would be taken for a scan, whose rows stand in order.
        const alterPlan = (plan: Plan): Plan => ({ ...plan, consistency: 'snapshot' });
        const archive = await makeArchive(tables, { alterPlan });
        const { documents } = await convertAndCheck(archive);
        expect(documents('a').toSorted()).toEqual([...state.values()].toSorted());
      }),
      { numRuns: scaled(30, 100) },
    );
  });
});

test('an archive without a journal keeps every entry, byte for byte', async () => {
  const archive = await makeArchive(sampleTables, { certificates: sampleCertificates });
  const converted = await convertBytes(archive);
  const end = archive.indexOf('manifest.json');
  expect(converted.subarray(0, end).equals(archive.subarray(0, end))).toBe(true);
});

test('encoding dtr is made of reql, and the manifest says what it was', async () => {
  const time = '{"$reql_type$":"TIME","epoch_time":0.5,"timezone":"+00:00"}';
  const [add, remove] = [`{"new_val":{"at":${time},"id":2},"type":"add"}`, `{"old_val":{"id":0},"type":"remove"}`];
  const tables = [{ name: 'a', texts: [`{"at":${time},"id":1}`, '{"id":0}'], changes: [add, remove] }];
  const { plan, manifest, documents } = await convertAndCheck(await makeArchive(tables), { documentEncoding: 'dtr' });
  expect(documents('a')).toEqual(['{"at":"1970-01-01T00:00:00.5Z","id":1}', '{"at":"1970-01-01T00:00:00.5Z","id":2}']);
  expect(plan.documentEncoding).toBe('dtr');
  expect(manifest).toMatchObject({ conversions: [{ documentEncodingBefore: 'reql' }] });
  const again = convertBytes(await convertBytes(await makeArchive(tables), { documentEncoding: 'dtr' }), {
    documentEncoding: 'reql',
  });
  await expect(again).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('have become text') });
});

test('dropped tables are left out with their journals, and named', async () => {
  const drop = [{ database: 'dtr2', name: 'properties' }];
  const { plan, manifest, names } = await convertAndCheck(await makeArchive(sampleJournal), { drop });
  expect(plan.tables.map(({ name }) => name)).toEqual(['quiet', 'tags']);
  expect(names.filter((name) => name.includes('properties'))).toEqual([]);
  expect(plan.leftOut).toEqual([{ what: 'dtr2.properties', why: 'convert --drop-table' }]);
  expect(manifest.conversions).toMatchObject([{ foldedChanges: 1, droppedTables: ['dtr2.properties'] }]);
});

test.each([
  [
    'a table that is not there',
    { drop: [{ database: 'dtr2', name: 'none' }] },
    'dtr2.none: the archive has no such table',
  ],
  ['every table', { drop: [{ database: 'dtr2', name: '*' }] }, 'no table would be left'],
])('dropping %s is refused', async (_what, options, message) => {
  const converting = convertBytes(await makeArchive(sampleJournal), options);
  await expect(converting).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
});

describe('an archive that is altered after it was verified is refused', () => {
  const certificates = sampleCertificates;
  const sound = makeArchive(sampleJournal, { certificates });

  test.each<[string, () => Promise<Buffer>]>([
    [
      'the path of a certificate file',
      () =>
        makeArchive(sampleJournal, { certificates: certificates.map((file) => ({ ...file, path: `x/${file.path}` })) }),
    ],
    ['the time of the backup', () => makeArchive(sampleJournal, { certificates, startedAt: new Date(0) })],
    ['the place of a journal', () => makeArchive(sampleJournal, { certificates, journalsInside: true })],
    ['the order of the tables', () => makeArchive(sampleJournal.toReversed(), { certificates })],
    [
      'a number in a row',
      async () => Buffer.from((await sound).toString('latin1').replace('"value":1', '"value":8'), 'latin1'),
    ],
    ['its end', async () => (await sound).subarray(0, -1024)],
    ['what follows its end', async () => Buffer.concat([await sound, Buffer.alloc(512)])],
  ])('%s', async (_what, make) => {
    const [first, other] = [await sound, await make()];
    expect(other.equals(first)).toBe(false);
    const refusal = { exitCode: 9, message: 'memory has changed since it was verified' };
    await expect(convertReadings(first, other, first)).rejects.toMatchObject(refusal);
    await expect(convertReadings(first, first, other)).rejects.toMatchObject(refusal);
    expect((await convertReadings(first, first, first)).length).toBeGreaterThan(0);
  });
});

test('an archive that nothing proves is refused', async () => {
  const foreign = await foreignTar([[{ name: 'dtr-backup-v2.7.5/rethink/properties/0' }, '{"key":"a"}']]);
  const message = expect.stringContaining('has no manifest and cannot be converted');
  await expect(convertBytes(foreign)).rejects.toMatchObject({ exitCode: 9, message });
});
