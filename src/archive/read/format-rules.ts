/** What FORMAT.md requires of an archive of ours beyond a sound tar: the headers of its entries, and their order. */
import type { Plan } from '../../model/manifest.js';
import { layout, type Place } from '../layout.js';
import { startSeconds } from '../plan.js';
import type { TarEntry } from '../tar/tar-entries.js';

/** Places in the order of the archive, after root and plan; changes are among rows. */
const ranks: Readonly<Record<Place['kind'], number>> = {
  root: -1,
  plan: -1,
  rethink: 0,
  table: 1,
  document: 1,
  changes: 1,
  tableChanges: 1,
  change: 1,
  certificates: 2,
  certificateVolume: 3,
  certificate: 4,
  manifest: 5,
};

/** What is wrong with an entry's header and with how its path is spelled. */
export function headerFaults(entry: TarEntry, place: Place | undefined): string[] {
  const { path, kind, isOwn, isExtended } = entry;
  const faults: string[] = [];
  if (!isOwn || (isExtended && place?.kind !== 'certificate'))
    faults.push('has a tar header that dtr-backup does not write');
  if (place === undefined) return [...faults, 'has no place in an archive'];
  const isSpelledOwn = path.endsWith('/') === (kind === 'directory') && !path.startsWith('./');
  return isSpelledOwn ? faults : [...faults, 'has a path that dtr-backup spells otherwise'];
}

export class FormatRules {
  readonly #startSeconds: number;
  /** By directory: the table's index in the plan. */
  readonly #planned: ReadonlyMap<string, number>;
  #rank = -1;
  /** The directory of the present table, and its index in the plan. */
  #table: string | undefined;
  #tableIndex = -1;
  /** The directory of changes that was the last entry: its first entry must follow. */
  #openDirectory: string | undefined;
  readonly #directories = new Set<string>();

  constructor(plan: Plan) {
    this.#startSeconds = startSeconds(plan);
    this.#planned = new Map(plan.tables.map(({ directory }, index) => [directory, index]));
  }

  isPlanned(directory: string): boolean {
    return this.#planned.has(directory);
  }

  /** What is wrong with the place and the time of the next entry. */
  check({ path, kind, mtimeSeconds }: TarEntry, place: Place | undefined): string[] {
    const faults: string[] = [];
    if (kind === 'file' && mtimeSeconds !== this.#startSeconds)
      faults.push('has another modification time than the start of the backup');
    if (place === undefined) return faults;
    const isKnown = !('directory' in place) || this.isPlanned(place.directory);
    const isMisplaced = this.#isMisplaced(place, path);
    if (!isKnown) faults.push('is not in the plan');
    else if (isMisplaced) faults.push('is in the wrong place');
    return faults;
  }

  #isMisplaced(place: Place, path: string): boolean {
    const rank = ranks[place.kind];
    const isEarly = rank > this.#rank + 1 && !(place.kind === 'manifest' && this.#rank >= ranks.rethink);
    const isLate = rank < Math.max(0, this.#rank) || (place.kind === 'manifest' && this.#rank === rank);
    this.#rank = Math.max(rank, this.#rank);
    const isAmongOthers = this.#isAmongOthers(place, path);
    const isMisplaced = isEarly || isLate || isAmongOthers;
    if (!path.endsWith('/')) return isMisplaced || !this.#hasDirectory(place, path);
    const isDouble = this.#directories.has(path);
    this.#directories.add(path);
    return isMisplaced || isDouble;
  }

  /** Whether an entry is among those of another table, or not next to what it must follow or precede. */
  #isAmongOthers(place: Place, path: string): boolean {
    const isApart = this.#openDirectory !== undefined && directoryOf(place, path) !== this.#openDirectory;
    const isOpening = place.kind === 'changes' || place.kind === 'tableChanges';
    this.#openDirectory = isOpening ? path : undefined;
    if (place.kind === 'table') return this.#isTableLate(place.directory) || isApart;
    if (place.kind === 'document') return isApart || place.directory !== this.#table;
    if (place.kind !== 'tableChanges') return isApart;
    const [root = ''] = path.split('/');
    const isAfterTable = this.#directories.has(layout.table(root, place.directory));
    return isApart || !isAfterTable || !this.#directories.has(layout.changes(root));
  }

  /** Tables come in the order of the plan; a missing one is a finding at the end. */
  #isTableLate(directory: string): boolean {
    const index = this.#planned.get(directory) ?? this.#tableIndex;
    const isLate = index < this.#tableIndex;
    this.#table = directory;
    this.#tableIndex = Math.max(index, this.#tableIndex);
    return isLate;
  }

  #hasDirectory(place: Place, path: string): boolean {
    return place.kind === 'manifest' || this.#directories.has(directoryOf(place, path));
  }
}

/** The directory whose entry must have come before. Certificates may lie deeper: only their volume has an entry. */
function directoryOf(place: Place, path: string): string {
  const parts = path.replace(/\/$/, '').split('/');
  return `${parts.slice(0, place.kind === 'certificate' ? 3 : -1).join('/')}/`;
}
