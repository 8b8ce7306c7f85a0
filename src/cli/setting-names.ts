/** The names of the settings of each command, for its help and for its own module, which reads them. */
import { accessNames, keyNames, namesOf, ucpNames, wrappingNames } from '../settings/settings.js';
import { contentSettings, imagesSettings, offlineSettings } from '../settings/table/backup.js';
import { conversionSettings, outputSettings, restoreSettings } from '../settings/table/archive.js';

export const backupNames = [
  ...accessNames,
  ...namesOf(contentSettings),
  ...namesOf(offlineSettings),
  ...namesOf(outputSettings),
  ...wrappingNames,
  ...keyNames,
  'dryRun',
] as const;

export const imagesNames = [
  ...ucpNames,
  ...(['existingReplicaId', 'dtrVersion', 'connectTimeout', 'readTimeout'] as const),
  ...namesOf(imagesSettings),
  ...namesOf(outputSettings),
  ...wrappingNames,
  ...keyNames,
  'dryRun',
] as const;

export const verifyNames = [...keyNames, 'json', 'allowUnproven'] as const;

export const inspectNames = [...keyNames, 'json'] as const;

export const restoreNames = [
  ...accessNames,
  ...keyNames,
  ...namesOf(restoreSettings),
  'allowUnproven',
  'dryRun',
  'json',
] as const;

export const convertNames = [
  ...namesOf(conversionSettings),
  ...namesOf(outputSettings),
  ...wrappingNames,
  ...keyNames,
] as const;
