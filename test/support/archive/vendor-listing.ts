/** An archive of the vendor's shape, after a listing of MSR 2.9.4 (online). */
import { foreignTar, type EntryHeader } from './tar-blocks.js';

export const vendorRoot = 'dtr-backup-v2.9.4-online';

/** In the order of the listing, with how many documents we put into each. */
export const vendorTables: ReadonlyMap<string, number> = new Map([
  ['client_tokens', 0],
  ['poll_mirroring_policies', 0],
  ['promotion_policies', 0],
  ['content_caches', 0],
  ['webhooks', 0],
  ['tags', 3],
  ['events', 12],
  ['manifests', 3],
  ['scanned_layers', 0],
  ['layer_vuln_overrides', 0],
  ['changefeed', 2],
  ['scanned_images', 1],
  ['blob_links', 4],
  ['namespace_team_access', 0],
  ['tuf_files', 4],
  ['properties', 53],
  ['helm_charts', 0],
  ['pruning_policies', 0],
  ['repository_team_access', 1],
  ['push_mirroring_policies', 0],
  ['repositories', 2],
  ['user_settings', 0],
  ['metrics', 1],
  ['blobs', 4],
  ['crons', 3],
  ['private_keys', 2],
]);

/** A document with every primary key that DTR's tables have: times are RFC 3339 text, binary values base64 text. */
export function vendorDocument(table: string, number: number): string {
  const about = { created_at: `2026-01-02T03:04:0${number % 10}.5Z`, data: 'AAEC', gun: `r/${number % 2}` };
  return JSON.stringify({
    ...{ id: `${table}-${number}`, key: `${number}`, key_id: `${number}`, gun_role_version: ['r', 'root', number] },
    ...{ ...about, publishedAt: `2026-01-0${(number % 9) + 1}T00:00:00Z` },
  });
}

/** Directories `drwx------ 0/0` of 1970, empty ones too; files `-rw------- 0/0` with the time of the run. */
export function makeVendorArchive(): Promise<Buffer> {
  const directory = (path: string): [EntryHeader] => [
    { name: `${vendorRoot}/${path}`, type: 'directory', mode: 0o700, mtime: new Date(0) },
  ];
  const file = (table: string, number: number): [EntryHeader, string] => [
    { name: `${vendorRoot}/rethink/${table}/${number}`, mode: 0o600, mtime: new Date(1_700_000_000_000) },
    vendorDocument(table, number),
  ];
  return foreignTar([
    directory(''),
    directory('rethink/'),
    ...[...vendorTables].flatMap(([table, count]) => [
      directory(`rethink/${table}/`),
      ...Array.from({ length: count }, (_, number) => file(table, number)),
    ]),
  ]);
}
