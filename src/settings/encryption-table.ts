/** The part of the table of settings for encryption and compression. */
import { armouredKeyRing, compressions } from '../model/envelope.js';
import { oneOf, onOff, part, pem, secret, text } from './setting.js';

/** What wraps an archive that is written. */
export const wrapping = part('Encryption and compression', {
  encrypt: onOff({
    env: 'DTR_ENCRYPT',
    notInDotenv: true,
    help: 'encrypt the archive (OpenPGP) with --passphrase, or to the keys of --encrypt-to',
  }),
  encryptTo: pem({
    env: 'DTR_ENCRYPT_TO',
    notInDotenv: true,
    placeholder: 'KEYFILE',
    decode: armouredKeyRing,
    help: 'encrypt to every public key in this file: one or more outputs of gpg --export --armor NAME…, or a binary one',
  }),
  compress: text(oneOf(compressions), {
    env: 'DTR_COMPRESS',
    help: 'compress the archive, before it is encrypted; zstd needs Node 22.15, which the image has',
  }),
});

/** Of commands that read archives, and of those that encrypt them. */
export const keys = part('Encryption and compression', {
  passphrase: secret('PASSPHRASE', { env: 'BACKUP_PASSPHRASE', help: 'opens an encrypted archive or --decrypt-key' }),
  decryptKey: pem({
    env: 'BACKUP_DECRYPT_KEY',
    placeholder: 'KEYFILE',
    decode: armouredKeyRing,
    help: 'private keys that decrypt the archive: one or more outputs of gpg --export-secret-keys --armor NAME…, or a binary one',
  }),
});
