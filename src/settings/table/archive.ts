/** Where an archive goes, what wraps it, how it is judged, converted and restored; and how a run logs. */
import { flag, text, pem, list } from '../setting.js';
import { anyText, oneOf, secret } from '../value-parsers.js';
import { armouredKeyRing, compressions } from '../../model/envelope.js';
import { parseTablePattern } from '../../model/table.js';
import { documentEncodings } from './backup.js';

/** Where an archive goes. */
export const outputSettings = {
  output: text({
    flag: 'output',
    env: 'DTR_OUTPUT',
    placeholder: 'FILE',
    help: 'write to FILE instead of stdout; {version}, {replica} and {date} are filled in',
    parse: anyText,
  }),
  verify: flag({
    flag: 'verify',
    env: 'DTR_VERIFY',
    help: 'read the finished --output file back and verify it before it is renamed into place',
  }),
  force: flag({ flag: 'force', help: 'let --output replace an existing file' }),
} as const;

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

/** How an archive is judged and reported. */
export const archiveSettings = {
  json: flag({ flag: 'json', help: 'print JSON for programs' }),
  allowUnproven: flag({
    flag: 'allow-unproven',
    notInDotenv: true,
    env: 'DTR_ALLOW_UNPROVEN',
    help: 'accept an archive without a manifest (the vendor’s), whose completeness cannot be verified',
  }),
} as const;

/** What a conversion makes of an archive. */
export const conversionSettings = {
  // Its flag is that of `documentEncoding`, which a backup always has: left out here, the archive keeps its own.
  convertedEncoding: text({
    flag: 'document-encoding',
    env: 'DTR_DOCUMENT_ENCODING',
    placeholder: documentEncodings.join('|'),
    help: 'dtr: the form that docker/dtr restore reads, which cannot be turned back into reql (default: unchanged)',
    parse: oneOf(documentEncodings),
    expects: documentEncodings.join(' or '),
  }),
  dropTable: list({
    flag: 'drop-table',
    placeholder: 'DB.TABLE',
    help: 'leave out this table (DB.* for all of a database); repeatable',
    parse: parseTablePattern,
    expects: 'DB.TABLE or DB.*',
  }),
} as const;

/** What a restore may do to the replica, and which part of the archive it takes. */
export const restoreSettings = {
  replace: flag({
    flag: 'replace',
    help: 'make tables that hold documents equal to the archive: other documents are deleted',
  }),
  merge: flag({ flag: 'merge', help: 'write into tables that hold documents: other documents stay' }),
  onlyTable: list({
    flag: 'table',
    placeholder: 'DB.TABLE',
    help: 'restore only this table (DB.* for all of a database); repeatable',
    parse: parseTablePattern,
    expects: 'DB.TABLE or DB.*',
  }),
  allowVersionMismatch: flag({
    flag: 'allow-version-mismatch',
    help: 'restore the archive of another minor version of DTR',
  }),
  skipVerify: flag({
    flag: 'skip-verify',
    help: 'verify the archive while it is restored instead of before: faster, but damage is found too late',
  }),
  // Its flag is that of `certificates`, which a backup has by default: keys are never written by default.
  writeCertificates: flag({
    flag: 'certificates',
    help: 'also write the archive’s certificate files into volumes dtr-ca and dtr-notary; needs UCP',
  }),
  // Its flag is that of `verify`, which reads an output back.
  verifyRestored: flag({
    flag: 'verify',
    help: 'compare every document with the replica after all are written, not only their number',
  }),
  breakLock: flag({
    flag: 'break-lock',
    help: 'take over the lock that a killed restore left in RethinkDB',
  }),
} as const;

const logFormats = ['text', 'json'] as const;

/** Of several commands or all. */
export const commonSettings = {
  dryRun: flag({ flag: 'dry-run', help: 'print the plan and do nothing else' }),
  debug: flag({ flag: 'debug', env: 'DEBUG', help: 'log more' }),
  logFormat: text({
    flag: 'log-format',
    env: 'DTR_LOG_FORMAT',
    placeholder: logFormats.join('|'),
    help: 'text for people or JSON for programs',
    parse: oneOf(logFormats),
    expects: logFormats.join(' or '),
    default: 'text',
  }),
} as const;
