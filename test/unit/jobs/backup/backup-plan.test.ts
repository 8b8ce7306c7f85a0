import { describe, expect, test } from '@jest/globals';
import { planTables, chooseTables, type TableSelection } from '#src/jobs/backup/backup-plan.js';

const found = [
  { database: 'accounts', name: 'tags' },
  { database: 'dtr2', name: 'events' },
  { database: 'dtr2', name: 'scanned_images' },
  { database: 'dtr2', name: 'scanned_layers' },
  { database: 'dtr2', name: 'tags' },
  { database: 'jobrunner', name: 'action_configs' },
  { database: 'jobrunner', name: 'crons' },
  { database: 'jobrunner', name: 'joblogs' },
  { database: 'jobrunner', name: 'jobs' },
  { database: 'jobrunner', name: 'leases' },
  { database: 'notaryserver', name: 'tuf_files' },
  { database: 'notarysigner', name: 'private_keys' },
  { database: 'other', name: 'tags' },
  { database: 'other', name: 'things' },
];

const everything: TableSelection = { include: [], exclude: [], ignoreEventsTable: false, ignoreScanData: false };

const chosen = (selection: Partial<TableSelection>) => chooseTables(found, { ...everything, ...selection });
const names = (selection: Partial<TableSelection>) => chosen(selection).tables.map((t) => `${t.database}.${t.name}`);

describe('the tables of a backup', () => {
  test("are all but what is transient, DTR's own first", () => {
    expect(names({})).toEqual([
      'dtr2.events',
      'dtr2.scanned_images',
      'dtr2.scanned_layers',
      'dtr2.tags',
      'jobrunner.crons',
      'notaryserver.tuf_files',
      'notarysigner.private_keys',
      'accounts.tags',
      'jobrunner.leases',
      'other.tags',
      'other.things',
    ]);
    expect(chosen({}).leftOut).toEqual([
      { what: 'jobrunner.action_configs', why: 'transient' },
      { what: 'jobrunner.joblogs', why: 'transient' },
      { what: 'jobrunner.jobs', why: 'transient' },
    ]);
  });

  test('lose what the operator leaves out, and the manifest says why', () => {
    const { tables, leftOut } = chosen({ ignoreEventsTable: true, ignoreScanData: true });
    expect(tables.slice(0, 4).map(({ name }) => name)).toEqual(['tags', 'crons', 'tuf_files', 'private_keys']);
    expect(leftOut).toContainEqual({ what: 'dtr2.scanned_layers', why: '--ignore-scan-data' });
    expect(leftOut).toContainEqual({ what: 'dtr2.events', why: '--ignore-events-table' });
  });

  test('gain what is included; excluding wins', () => {
    expect(names({ include: [{ database: 'jobrunner', name: 'jobs' }] })).toContain('jobrunner.jobs');
    const pattern = [{ database: 'jobrunner', name: '*' }];
    expect(names({ include: pattern, exclude: pattern }).join()).not.toContain('jobrunner');
  });

  test("of one name get directories of their own, and DTR's has that of docker/dtr", () => {
    const { tables } = chosen({});
    const planned = planTables(
      tables.map((table) => ({ ...table, id: '1', primaryKey: 'id', indexes: [], writeHook: null })),
    );
    const tags = planned.filter(({ name }) => name === 'tags');
    expect(tags.map(({ database, planned: { directory } }) => [database, directory])).toEqual([
      ['dtr2', 'tags'],
      ['accounts', 'accounts.tags'],
      ['other', 'other.tags'],
    ]);
    expect(planned[0]?.planned).not.toHaveProperty('id');
  });

  test('must be there', () => {
    expect(() => chosen({ include: [{ database: 'dtr2', name: 'tgas' }] })).toThrow('--include-table dtr2.tgas');
    const others = [{ database: 'other', name: 'x' }];
    expect(() => chooseTables(others, everything)).toThrow('no table of DTR (databases found: other)');
    expect(chooseTables(others, { ...everything, include: [{ database: 'other', name: '*' }] }).tables).toEqual(others);
    expect(() => chooseTables([], everything)).toThrow('no table to back up (databases found: none)');
  });
});
