/** What is put around an archive, and what opens it again. */
import { armouredKeyRing } from '../../model/openpgp-keys.js';
import { compressions } from '../../model/envelope.js';
import { flag, pem, text } from '../setting.js';
import { oneOf, secret } from '../value-parsers.js';

/** Of commands that write archives. */
export const wrappingSettings = {
  encrypt: flag({
    flag: 'encrypt',
    notInDotenv: true,
    env: 'DTR_ENCRYPT',
    help: 'encrypt the archive (OpenPGP) with --passphrase, or to the keys of --encrypt-to',
  }),
  encryptTo: pem({
    flag: 'encrypt-to',
    notInDotenv: true,
    env: 'DTR_ENCRYPT_TO',
    placeholder: 'KEYFILE',
    help: 'encrypt to every public key in this file: one or more outputs of gpg --export --armor NAME…, or a binary one',
    decode: armouredKeyRing,
  }),
  compress: text({
    flag: 'compress',
    env: 'DTR_COMPRESS',
    placeholder: compressions.join('|'),
    help: 'compress the archive, before it is encrypted; zstd needs Node 22.15, which the image has',
    parse: oneOf(compressions),
    expects: compressions.join(' or '),
  }),
} as const;

/** Of commands that read archives, and of those that encrypt them. */
export const keySettings = {
  passphrase: text({
    flag: 'passphrase',
    env: 'BACKUP_PASSPHRASE',
    placeholder: 'PASSPHRASE',
    help: 'passphrase of an encrypted archive, or of --decrypt-key; better passed as BACKUP_PASSPHRASE or BACKUP_PASSPHRASE_FILE: flags show in process lists',
    parse: secret,
  }),
  decryptKey: pem({
    flag: 'decrypt-key',
    env: 'BACKUP_DECRYPT_KEY',
    placeholder: 'KEYFILE',
    help: 'private keys that decrypt the archive: one or more outputs of gpg --export-secret-keys --armor NAME…, or a binary one',
    decode: armouredKeyRing,
  }),
} as const;
