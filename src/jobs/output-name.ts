/** `--output` names with `{version}`, `{replica}` and `{date}` filled in. */
export interface OutputFacts {
  readonly version: string;
  readonly replica: string | undefined;
  readonly date: Date;
}

/** `{date}` is the start of the backup in UTC: `20261123T170405Z`. A replica nobody named is `unknown`. */
export function fillIn(template: string, { version, replica, date }: OutputFacts): string {
  const compactDate = date.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return template
    .replaceAll('{version}', version)
    .replaceAll('{replica}', replica ?? 'unknown')
    .replaceAll('{date}', compactDate);
}
