/** What FORMAT.md requires beyond a sound tar: the order of the entries, and what their headers say. */
import { layout, type Place } from '../layout.js';
import type { TarEntry } from '../tar/tar-entries.js';

/** Places in the order of the archive; a journal stands between rows. */
const ranks: Readonly<Record<Place['kind'], number>> = {
  root: 0,
  rethink: 1,
  table: 2,
  document: 2,
  changes: 2,
  tableChanges: 2,
  change: 2,
  certificates: 3,
  certificateVolume: 4,
  certificate: 5,
  manifest: 6,
};

export class FormatRules {
  #rank = -1;
  #table: string | undefined;
  /** The journal's directory that was the last entry: its first entry must follow. */
  #openDirectory: string | undefined;
  readonly #directories = new Set<string>();
  #fileMtimeSeconds: number | undefined;

  /** The modification time of the first file, which all files share. */
  get fileMtimeSeconds(): number | undefined {
    return this.#fileMtimeSeconds;
  }

  /** What is wrong with an entry where it stands, for each in turn. */
  check({ path, kind, isOwn, isExtended, mtimeSeconds }: TarEntry, place: Place | undefined): string[] {
    const faults: string[] = [];
    if (!isOwn || (isExtended && place?.kind !== 'certificate'))
      faults.push('has a tar header that dtr-backup does not write');
    if (kind === 'file') {
      this.#fileMtimeSeconds ??= mtimeSeconds;
      if (mtimeSeconds !== this.#fileMtimeSeconds) faults.push('has another modification time than the files before');
    }
    if (place === undefined) return [...faults, 'has no place in an archive'];
    const isSpelledOwn = path.endsWith('/') === (kind === 'directory') && !path.startsWith('./');
    if (!isSpelledOwn) faults.push('has a path that dtr-backup spells otherwise');
    if (this.#isOutOfOrder(place, path)) faults.push('stands in the wrong place');
    return faults;
  }

  #isOutOfOrder(place: Place, path: string): boolean {
    const rank = ranks[place.kind];
    const isEarly = rank > this.#rank + 1 && !(place.kind === 'manifest' && this.#rank >= ranks.rethink);
    const isLate = rank < this.#rank || (place.kind === 'manifest' && this.#rank === rank);
    this.#rank = Math.max(rank, this.#rank);
    const isAmongOthers = this.#isAmongOthers(place, path);
    const isMisplaced = isEarly || isLate || isAmongOthers;
    if (!path.endsWith('/')) return isMisplaced || !this.#directories.has(directoryOf(place, path));
    const isDouble = this.#directories.has(path);
    this.#directories.add(path);
    return isMisplaced || isDouble;
  }

  /** Whether an entry stands with those of another table, or apart from what it must follow or be followed by. */
  #isAmongOthers(place: Place, path: string): boolean {
    const isApart = this.#openDirectory !== undefined && directoryOf(place, path) !== this.#openDirectory;
    const isOpening = place.kind === 'changes' || place.kind === 'tableChanges';
    this.#openDirectory = isOpening ? path : undefined;
    if (place.kind === 'table') this.#table = place.table;
    if (place.kind === 'document') return isApart || place.table !== this.#table;
    if (place.kind !== 'tableChanges') return isApart;
    const [root = ''] = path.split('/');
    const isAfterTable = this.#directories.has(layout.table(root, place.table));
    return isApart || !isAfterTable || !this.#directories.has(layout.changes(root));
  }
}

/** The directory whose entry must have come before. Certificates may lie deeper: only their volume has an entry. */
function directoryOf(place: Place, path: string): string {
  const parts = path.replace(/\/$/, '').split('/');
  return `${parts.slice(0, place.kind === 'certificate' ? 3 : -1).join('/')}/`;
}
