/** The paths and limits of an archive, as FORMAT.md specifies them. No other file spells an entry's path. */

import { maxDocumentBytes, maxDocumentDepth } from '../model/document-limits.js';
import { nameFieldBytes, prefixFieldBytes } from './tar/ustar.js';
import { isAtLeastDtr, parseDtrVersion, type DtrVersion } from '../model/dtr-version.js';

/**
 * The limits of an archive: readers refuse more, so that hostile archives cost no memory, and so do writers. A replica has some
 * dozens of tables and certificate files of a few kB.
 */
export const limits = {
  tables: 20_000,
  /** Besides documents and changes: two directories for each table, certificates, and what holds them. */
  otherEntries: 50_000,
  certificates: 9000,
  certificateBytes: 16 * 1024 * 1024,
  /** All of them together: restore and convert hold them in memory. */
  allCertificatesBytes: 64 * 1024 * 1024,
  /** Of the plan, and of the manifest. A table takes from half a kB to some kB of the one, half a kB of the other. */
  manifestBytes: 128 * 1024 * 1024,
  /** A change has two documents and its own members. */
  entryBytes: { documents: maxDocumentBytes, changes: 2 * maxDocumentBytes + 1024 },
  /** Of all tables, to fold them into the rows: each changed document takes some 100 bytes of memory. */
  foldedChanges: 4_000_000,
  /** Depth of nested objects and arrays. */
  documentDepth: maxDocumentDepth,
  /** The same for plans and manifests: real ones need less than 10, and JSON.parse takes 50 times the memory of the brackets. */
  manifestDepth: 64,
};

interface RootOptions {
  readonly dtrVersion: string;
  readonly mode: 'online' | 'offline';
}

/**
 * The archive's one root directory, without a slash. From DTR 2.9 on it ends in `-online` or `-offline`, as that
 * of docker/dtr does (a listing of MSR 2.9.4); the documentation of 2.1 to 2.7 shows it without.
 */
export function rootName({ dtrVersion, mode }: RootOptions): string {
  const version = parseDtrVersion(dtrVersion);
  const hasSuffix = version !== undefined && isAtLeastDtr(version, 2, 9);
  return `dtr-backup-v${dtrVersion}${hasSuffix ? `-${mode}` : ''}`;
}

/** The version of DTR in a root's name, ours or the vendor's; undefined where it names none. */
export function dtrVersionOfRoot(root: string): DtrVersion | undefined {
  const [, version = ''] = /^dtr-backup-v(.+?)(?:-(?:online|offline))?$/.exec(root) ?? [];
  return parseDtrVersion(version);
}

export const layout = {
  root: (root: string) => `${root}/`,
  plan: (root: string) => `${root}/plan.json`,
  rethink: (root: string) => `${root}/rethink/`,
  table: (root: string, table: string) => `${root}/rethink/${table}/`,
  changes: (root: string) => `${root}/changes/`,
  tableChanges: (root: string, table: string) => `${root}/changes/${table}/`,
  certificates: (root: string) => `${root}/certs/`,
  certificateVolume: (root: string, volume: CertificateVolume) => `${root}/certs/${volume}/`,
  certificate: (root: string, path: string) => `${root}/certs/${path}`,
  manifest: (root: string) => `${root}/manifest.json`,
} as const;

/** Numbered entries hold the documents of a table, or its changes. */
export type EntryKind = 'documents' | 'changes';

/** The directory of a table's entries of one kind. */
export function entriesDirectory(root: string, kind: EntryKind, table: string): string {
  return kind === 'documents' ? layout.table(root, table) : layout.tableChanges(root, table);
}

/** The two volumes whose files are in the archive: `dtr-ca-<replica>` and `dtr-notary-<replica>`. */
type CertificateVolume = 'ca' | 'notary';

/** Whether a table's directory and entries fit the plain tar headers that rows are written with. */
export function fitsLayout(root: string, table: string): boolean {
  const directory = layout.tableChanges(root, table);
  return Buffer.byteLength(table) < nameFieldBytes && Buffer.byteLength(directory) - 1 <= prefixFieldBytes;
}

/** What a path belongs to. `number` is that of a document or a change. */
export type Place =
  | { readonly kind: 'root' | 'plan' | 'rethink' | 'changes' | 'certificates' | 'manifest' }
  | { readonly kind: 'table' | 'tableChanges'; readonly directory: string }
  | { readonly kind: 'document' | 'change'; readonly directory: string; readonly number: number }
  | { readonly kind: 'certificateVolume'; readonly volume: CertificateVolume }
  /** `path` is below `certs/`: `ca/rethink/cert.pem`. */
  | { readonly kind: 'certificate'; readonly path: string };

/** What `path`, below the root and without a slash at its end, belongs to; undefined for what has no place in an archive. */
export function placeOf(path: string, isDirectory: boolean): Place | undefined {
  const [top, table, number, ...deeper] = path.split('/');
  if (top === 'certs') return certificatePlace(path, isDirectory);
  if (path === 'plan.json') return isDirectory ? undefined : { kind: 'plan' };
  if (path === 'manifest.json') return isDirectory ? undefined : { kind: 'manifest' };
  if (path === '') return isDirectory ? { kind: 'root' } : undefined;
  if ((top !== 'rethink' && top !== 'changes') || deeper.length > 0) return undefined;
  if (table === undefined) return isDirectory ? { kind: top } : undefined;
  if (!isTableDirectory(table)) return undefined;
  const isJournal = top === 'changes';
  if (number === undefined)
    return isDirectory ? { kind: isJournal ? 'tableChanges' : 'table', directory: table } : undefined;
  if (isDirectory || !isNumber(number)) return undefined;
  return { kind: isJournal ? 'change' : 'document', directory: table, number: Number(number) };
}

function certificatePlace(path: string, isDirectory: boolean): Place | undefined {
  const [, volume, ...file] = path.split('/');
  if (volume === undefined) return isDirectory ? { kind: 'certificates' } : undefined;
  if (volume !== 'ca' && volume !== 'notary') return undefined;
  if (isDirectory) return file.length === 0 ? { kind: 'certificateVolume', volume } : undefined;
  return file.length === 0 ? undefined : { kind: 'certificate', path: path.slice('certs/'.length) };
}

/** `<name>` or `<database>.<name>`: RethinkDB allows letters, digits, `_` and `-` in names. */
export function isTableDirectory(name: string): boolean {
  return /^[\w-]+(\.[\w-]+)?$/.test(name);
}

function isNumber(name: string): boolean {
  return /^(0|[1-9]\d{0,14})$/.test(name);
}
