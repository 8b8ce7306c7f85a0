/**
 * The one table of settings. The parser, `--help`, docs/settings.md and the messages about bad values all come from it.
 * Order of precedence: flag, environment, NAME_FILE, .env, default.
 */
import type { SettingValue } from './setting.js';
import { accessSettings } from './table/access.js';
import {
  archiveSettings,
  commonSettings,
  conversionSettings,
  outputSettings,
  restoreSettings,
  keySettings,
  wrappingSettings,
} from './table/archive.js';
import { contentSettings, imagesSettings, offlineSettings } from './table/backup.js';

export const settings = {
  ...accessSettings,
  ...contentSettings,
  ...offlineSettings,
  ...imagesSettings,
  ...outputSettings,
  ...wrappingSettings,
  ...keySettings,
  ...archiveSettings,
  ...restoreSettings,
  ...conversionSettings,
  ...commonSettings,
} as const;

export type SettingName = keyof typeof settings;

/** The values of some settings after reading: absent ones are undefined, flags are true or false, lists may be empty. */
export type SettingValues<N extends SettingName> = { readonly [K in N]: SettingValue<(typeof settings)[K]> };

/** The names in a part of the table, in its order, which is that of help. */
export function namesOf<const T extends Partial<typeof settings>>(part: T): readonly (keyof T & SettingName)[] {
  return Object.keys(part) as (keyof T & SettingName)[];
}

const helpGroups: readonly (readonly [title: string, part: Partial<typeof settings>])[] = [
  ['UCP and replica', accessSettings],
  ['What is backed up', { ...contentSettings, ...offlineSettings, ...imagesSettings }],
  ['What is restored', restoreSettings],
  ['What is converted', conversionSettings],
  ['Output', outputSettings],
  ['Encryption and compression', { ...wrappingSettings, ...keySettings }],
];

/** Under which title help shows the setting; undefined for what concerns the run itself. */
export function helpGroupOf(name: SettingName): string | undefined {
  return helpGroups.find(([, part]) => name in part)?.[0];
}

/** Settings of every command. */
export const globalSettings = ['debug', 'logFormat'] as const satisfies readonly SettingName[];

/** The settings that say how to reach UCP. */
export const ucpNames = ['ucpUrl', 'ucpUsername', 'ucpPassword', 'ucpCa', 'ucpInsecureTls'] as const;

/** The settings that say how to reach a replica. */
export const accessNames = namesOf(accessSettings);

/** The settings that say what to put around an archive. */
export const wrappingNames = namesOf(wrappingSettings);

/** The settings that open an encrypted archive. */
export const keyNames = namesOf(keySettings);
