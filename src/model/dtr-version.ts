/** A version of DTR (later MSR): `2.5.3`, `2.10.0-tp1`. Safe as part of a path: no slash, no space, no leading dot. */
export type DtrVersion = string & { readonly __brand: 'DtrVersion' };

const maxLength = 40;
const number = '(?:0|[1-9]\\d{0,3})';
const pattern = new RegExp(`^${number}\\.${number}\\.${number}(?:-[0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*)?$`);

/** Undefined for a text that is no version. */
export function parseDtrVersion(text: string): DtrVersion | undefined {
  return text.length <= maxLength && pattern.test(text) ? (text as DtrVersion) : undefined;
}

/** Whether `version` is `major.minor` or later; a preview of 2.9.0 counts as 2.9. */
export function isAtLeastDtr(version: DtrVersion, major: number, minor: number): boolean {
  const [itsMajor = 0, itsMinor = 0] = version.split('.').map(Number);
  return itsMajor > major || (itsMajor === major && itsMinor >= minor);
}

/** Whether both have the same `major.minor`: DTR changes its tables only between those. */
export function isSameMinorDtr(one: DtrVersion, other: DtrVersion): boolean {
  const line = (version: DtrVersion): string => version.split('.').slice(0, 2).join('.');
  return line(one) === line(other);
}
