/** The part of the table of settings for places that are not files of this machine: buckets and SSH servers. */
import { advanced, anyText, onOff, part, pem, secret, text, wholeNumber } from './setting.js';

/** How a store is reached, for writing and for reading. */
export const stores = part(advanced, {
  s3Endpoint: text(anyText('URL'), {
    env: 'AWS_ENDPOINT_URL_S3',
    notInDotenv: true,
    help: 'the S3 server, where it is not that of Amazon',
  }),
  s3Region: text(anyText('REGION'), { env: 'AWS_REGION', help: 'the region of the bucket' }),
  s3PathStyle: onOff({
    env: 'DTR_S3_PATH_STYLE',
    help: 'name the bucket in the path, not in the host, as most S3 servers other than that of Amazon need it',
  }),
  s3Ca: pem({
    env: 'DTR_S3_CA',
    notInDotenv: true,
    help: "CA of the S3 server's certificate: PEM text or a path to it",
  }),
  awsAccessKeyId: text(anyText('ID'), { env: 'AWS_ACCESS_KEY_ID', help: 'the access key for S3' }),
  awsSecretAccessKey: secret('KEY', { env: 'AWS_SECRET_ACCESS_KEY', help: 'its secret' }),
  awsSessionToken: secret('TOKEN', { env: 'AWS_SESSION_TOKEN', help: 'the token of temporary credentials' }),
  sftpUser: text(anyText('NAME'), { env: 'DTR_SFTP_USER', help: 'the user for SFTP, where the place names none' }),
  sftpKey: pem({ env: 'DTR_SFTP_KEY', help: 'the private key for SFTP: its text or a path to it' }),
  sftpKeyPassphrase: secret('PASSPHRASE', { env: 'DTR_SFTP_KEY_PASSPHRASE', help: 'opens an encrypted --sftp-key' }),
  sftpPassword: secret('PASSWORD', { env: 'DTR_SFTP_PASSWORD', help: 'the password for SFTP, without --sftp-key' }),
  sshKnownHosts: text(anyText('FILE'), {
    env: 'DTR_SSH_KNOWN_HOSTS',
    notInDotenv: true,
    help: 'the known_hosts file with the key of the SFTP server',
  }),
  sshFingerprint: text(anyText('SHA256:…'), {
    env: 'DTR_SSH_FINGERPRINT',
    notInDotenv: true,
    help: "the fingerprint of the SFTP server's key, as ssh-keygen -lf prints it, in place of --ssh-known-hosts",
  }),
});

/** How an archive is kept. */
export const keeping = part(advanced, {
  objectLockDays: text(wholeNumber('DAYS'), {
    env: 'DTR_OBJECT_LOCK_DAYS',
    help: 'keep the archive from being removed for so long, in a bucket with object lock',
  }),
});
