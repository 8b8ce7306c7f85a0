import { describe, expect, test } from '@jest/globals';
import { planTables, chooseTables, type TableSelection } from '#src/jobs/backup/backup-plan.js';

const found = [
  { database: 'dtr2', name: 'events' },
  { database: 'dtr2', name: 'scanned_images' },
  { database: 'dtr2', name: 'scanned_layers' },
  { database: 'dtr2', name: 'tags' },
  { database: 'jobrunner', name: 'crons' },
  { database: 'jobrunner', name: 'jobs' },
  { database: 'notaryserver', name: 'tuf_files' },
  { database: 'notarysigner', name: 'private_keys' },
  { database: 'other', name: 'tags' },
  { database: 'other', name: 'things' },
];

const everything: TableSelection = { include: [], exclude: [], ignoreEventsTable: false, ignoreScanData: false };

const chosen = (selection: Partial<TableSelection>) => chooseTables(found, { ...everything, ...selection });
const names = (selection: Partial<TableSelection>) => chosen(selection).tables.map((t) => `${t.database}.${t.name}`);

describe('the tables of a backup', () => {
  test("are those of DTR's own backup", () => {
    expect(names({})).toEqual([
      'dtr2.events',
      'dtr2.scanned_images',
      'dtr2.scanned_layers',
      'dtr2.tags',
      'jobrunner.crons',
      'notaryserver.tuf_files',
      'notarysigner.private_keys',
    ]);
    expect(chosen({}).leftOut).toContainEqual({ what: 'jobrunner.jobs', why: 'not part of a DTR backup' });
  });

  test('lose what the operator leaves out, and the manifest says why', () => {
    const { tables, leftOut } = chosen({ ignoreEventsTable: true, ignoreScanData: true });
    expect(tables.map(({ name }) => name)).toEqual(['tags', 'crons', 'tuf_files', 'private_keys']);
    expect(leftOut).toContainEqual({ what: 'dtr2.scanned_layers', why: '--ignore-scan-data' });
    expect(leftOut).toContainEqual({ what: 'dtr2.events', why: '--ignore-events-table' });
  });

  test('gain what is included; excluding wins', () => {
    expect(names({ include: [{ database: 'other', name: 'things' }] })).toContain('other.things');
    const pattern = [{ database: 'jobrunner', name: '*' }];
    expect(names({ include: pattern, exclude: pattern }).join()).not.toContain('jobrunner');
  });

  test('of one name get directories of their own', () => {
    const { tables } = chosen({ include: [{ database: 'other', name: '*' }] });
    const planned = planTables(
      tables.map((table) => ({ ...table, id: '1', primaryKey: 'id', indexes: [], writeHook: null })),
    );
    expect(planned.map(({ planned: { directory } }) => directory)).toEqual(
      expect.arrayContaining(['tags', 'other.tags', 'things']),
    );
    expect(planned[0]?.planned).not.toHaveProperty('id');
  });

  test('must be there', () => {
    expect(() => chosen({ include: [{ database: 'dtr2', name: 'tgas' }] })).toThrow('--include-table dtr2.tgas');
    expect(() => chooseTables([{ database: 'other', name: 'x' }], everything)).toThrow('databases found: other');
  });
});
