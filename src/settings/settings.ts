/** The settings by name: their types, and which command has which. */
import { keys, wrapping } from './encryption-table.js';
import { formerFlags } from './former-flags.js';
import { listing, pruning } from './pruning-table.js';
import { comparing, reading } from './reading-table.js';
import type { SettingValue } from './setting.js';
import * as table from './table.js';
import { rethinkdbName, ucpClient } from './tls-table.js';

const ucp = { ...table.ucp, ...ucpClient };
const { replica, database, advancedDatabase, timeouts, content, offline, images } = table;
const { output, restoring, converting, running } = table;

const access = { ...ucp, ...replica, ...database, ...advancedDatabase, ...rethinkdbName, ...timeouts };

export const settings = {
  ...access,
  ...content,
  ...formerFlags,
  ...offline,
  ...images,
  ...output,
  ...wrapping,
  ...keys,
  ...reading,
  ...comparing,
  ...restoring,
  ...converting,
  ...pruning,
  ...listing,
  ...running,
} as const;

export type SettingName = keyof typeof settings;

/** The values of some settings after reading: absent ones are undefined, switches true or false, lists may be empty. */
export type SettingValues<N extends SettingName> = { readonly [K in N]: SettingValue<(typeof settings)[K]> };

/** The names in a part of the table, in its order. */
function namesOf<const T extends Partial<typeof settings>>(part: T): readonly (keyof T & SettingName)[] {
  return Object.keys(part) as (keyof T & SettingName)[];
}

/** Settings of every command. */
export const globalSettings = [
  'helpExtended',
  'debug',
  'logFormat',
  'nocolor',
] as const satisfies readonly SettingName[];

/** The other settings of each command. */
export const commandSettings = {
  backup: [
    ...namesOf({ ...access, ...content, ...formerFlags, ...offline, ...output, ...wrapping, ...keys }),
    'dryRun',
  ],
  images: [...namesOf({ ...ucp, ...replica, ...timeouts, ...images, ...output, ...wrapping, ...keys }), 'dryRun'],
  verify: [...namesOf({ ...comparing, ...keys }), 'json', 'allowUnproven'],
  inspect: [...namesOf(keys), 'json'],
  restore: [...namesOf({ ...access, ...keys, ...restoring }), 'allowUnproven', 'dryRun', 'json'],
  convert: namesOf({ ...converting, ...output, ...wrapping, ...keys }),
  list: [...namesOf(listing), 'json'],
  prune: [...namesOf(pruning), 'dryRun', 'json'],
} as const satisfies Record<string, readonly SettingName[]>;

export type CommandName = keyof typeof commandSettings;
export type AccessName = keyof typeof access;
export type UcpName = keyof typeof ucp;
export type OutputName = keyof typeof output;
/** What wraps an archive that is written, and what opens one. */
export type WrappingName = keyof typeof wrapping | keyof typeof keys;
export type KeyName = keyof typeof keys;
