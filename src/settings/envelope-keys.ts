/** What a command puts around an archive and what opens one. The checks across settings that such commands share. */
import { Secret } from '../base/secret.js';
import type { DecryptionKeys, Wrapping } from '../model/envelope.js';
import type { ReadSettings } from './reader.js';
import type { keyNames, SettingValues, wrappingNames } from './settings.js';

type KeyName = (typeof keyNames)[number];
type WrappingName = (typeof wrappingNames)[number];

export function decryptionKeys({ passphrase, decryptKey }: SettingValues<KeyName>): DecryptionKeys {
  return {
    ...(passphrase !== undefined && { passphrase }),
    ...(decryptKey !== undefined && { privateKey: new Secret(decryptKey) }),
  };
}

/**
 * Gives what to put around the archive, or adds to `read.faults` what is missing or contradictory. `opensInput` says
 * that the keys are also for an archive that the command reads.
 */
export function resolveWrapping(
  read: ReadSettings<KeyName | WrappingName | 'verify'>,
  { opensInput }: { readonly opensInput: boolean },
): Wrapping {
  const { values, given, faults } = read;
  const { verify } = values;
  const toKeys = given.has('encryptTo');
  if (!toKeys && values.encrypt && !given.has('passphrase')) {
    faults.push('--encrypt needs --passphrase (better BACKUP_PASSPHRASE or BACKUP_PASSPHRASE_FILE) or --encrypt-to');
  }
  if (toKeys && given.has('encrypt') && !values.encrypt) faults.push('--no-encrypt contradicts --encrypt-to');
  if (toKeys && verify && !given.has('decryptKey')) {
    faults.push('--verify must read what --encrypt-to encrypts: give --decrypt-key, too');
  }
  if (opensInput) return wrappingOf(values);
  if (!toKeys && given.has('passphrase') && !given.has('encrypt')) {
    faults.push(
      'a passphrase is given, but not --encrypt: say --encrypt, or --no-encrypt to leave the archive as it is',
    );
  }
  if (given.has('decryptKey') && !(toKeys && verify)) {
    faults.push('--decrypt-key is only for --verify together with --encrypt-to');
  } else if (toKeys && given.has('passphrase') && !given.has('decryptKey')) {
    faults.push(
      '--passphrase and --encrypt-to contradict each other: with --encrypt-to only the keys open the archive',
    );
  }
  return wrappingOf(values);
}

function wrappingOf({ compress, encrypt, encryptTo, passphrase }: SettingValues<KeyName | WrappingName>): Wrapping {
  const isToPassphrase = encryptTo === undefined && encrypt && passphrase !== undefined;
  return {
    ...(compress !== undefined && { compression: compress }),
    ...(encryptTo !== undefined && { encryption: { publicKeys: encryptTo } }),
    ...(isToPassphrase && { encryption: { passphrase } }),
  };
}
