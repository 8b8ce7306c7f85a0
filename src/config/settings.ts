/**
 * The one table of settings. The parser, `--help`, docs/settings.md and the messages about bad values all come from it.
 * Order of precedence: flag, environment, NAME_FILE, .env, default.
 */
import type { SettingValue } from './setting.js';
import { accessSettings } from './settings/access.js';
import { archiveSettings } from './settings/archive.js';
import { commonSettings } from './settings/common.js';
import { contentSettings } from './settings/content.js';
import { imagesSettings } from './settings/images.js';
import { conversionSettings } from './settings/conversion.js';
import { offlineSettings } from './settings/offline.js';
import { outputSettings } from './settings/output.js';
import { restoreSettings } from './settings/restore.js';
import { keySettings, wrappingSettings } from './settings/wrapping.js';

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
