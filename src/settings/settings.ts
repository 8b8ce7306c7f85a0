/** The settings by name: their types, and which command has which. */
import { keys, wrapping } from './encryption-table.js';
import { formerFlags } from './former-flags.js';
import { monitoring } from './monitoring-table.js';
import { keeping, stores } from './places-table.js';
import { listing, pruning } from './pruning-table.js';
import { comparing, reading } from './reading-table.js';
import type { SettingValue } from './setting.js';
import * as table from './table.js';
import { rethinkdbName, ucpClient } from './tls-table.js';

const ucp = { ...table.ucp, ...ucpClient };
const { replica, database, advancedDatabase, timeouts, content, offline, images } = table;
const { output, restoring, converting, running } = table;

/** Of commands that write an archive. */
const written = { ...output, ...keeping, ...wrapping, ...keys, ...stores, ...monitoring };

const access = { ...ucp, ...replica, ...database, ...advancedDatabase, ...rethinkdbName, ...timeouts };

export const settings = {
  ...access,
  ...content,
  ...formerFlags,
  ...offline,
  ...images,
  ...output,
  ...stores,
  ...keeping,
  ...wrapping,
  ...keys,
  ...reading,
  ...comparing,
  ...restoring,
  ...converting,
  ...pruning,
  ...listing,
  ...monitoring,
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
  backup: [...namesOf({ ...access, ...content, ...formerFlags, ...offline, ...written }), 'dryRun'],
  images: [...namesOf({ ...ucp, ...replica, ...timeouts, ...images, ...written }), 'dryRun'],
  verify: [...namesOf({ ...comparing, ...keys, ...stores, ...monitoring }), 'json', 'allowUnproven'],
  inspect: [...namesOf({ ...keys, ...stores }), 'json'],
  restore: [
    ...namesOf({ ...access, ...keys, ...stores, ...restoring, ...monitoring }),
    ...(['allowUnproven', 'dryRun', 'json'] as const),
  ],
  convert: namesOf({ ...converting, ...written }),
  list: [...namesOf({ ...listing, ...stores }), 'json'],
  prune: [...namesOf({ ...pruning, ...stores, ...monitoring }), 'dryRun', 'json'],
} as const satisfies Record<string, readonly SettingName[]>;

export type CommandName = keyof typeof commandSettings;
export type AccessName = keyof typeof access;
export type UcpName = keyof typeof ucp;
export type OutputName = keyof typeof output;
/** What wraps an archive that is written, and what opens one. */
export type WrappingName = keyof typeof wrapping | keyof typeof keys;
export type KeyName = keyof typeof keys;
export type StoreName = keyof typeof stores;
export type KeepingName = keyof typeof keeping;
export type MonitoringName = keyof typeof monitoring;
