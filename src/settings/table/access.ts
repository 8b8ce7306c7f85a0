/** How to reach a replica: of every command that reads or writes one. */
import { parseDtrVersion } from '../../model/dtr-version.js';
import { parseReplicaId } from '../../model/replica-id.js';
import { parseRethinkdbAddress } from '../../model/rethinkdb-address.js';
import { parseUcpUrl } from '../../model/ucp-url.js';
import { flag, pem, text } from '../setting.js';
import { anyText, seconds, secret } from '../value-parsers.js';

export const accessSettings = {
  ucpUrl: text({
    flag: 'ucp-url',
    env: 'UCP_URL',
    placeholder: 'URL',
    help: 'UCP, with or without https://',
    parse: parseUcpUrl,
    expects: 'a host name or an https URL',
  }),
  ucpUsername: text({
    flag: 'ucp-username',
    env: 'UCP_USERNAME',
    placeholder: 'NAME',
    help: 'a UCP administrator',
    parse: anyText,
  }),
  ucpPassword: text({
    flag: 'ucp-password',
    env: 'UCP_PASSWORD',
    placeholder: 'PASSWORD',
    help: 'better passed as UCP_PASSWORD or UCP_PASSWORD_FILE: flags show in process lists',
    parse: secret,
  }),
  ucpCa: pem({
    flag: 'ucp-ca',
    notInDotenv: true,
    env: 'UCP_CA',
    help: "UCP's CA certificate: PEM text or a path to it",
  }),
  ucpInsecureTls: flag({
    flag: 'ucp-insecure-tls',
    notInDotenv: true,
    env: 'UCP_INSECURE_TLS',
    help: 'do not check UCP’s certificate',
  }),
  existingReplicaId: text({
    flag: 'existing-replica-id',
    env: 'DTR_REPLICA_ID',
    placeholder: 'ID',
    help: 'the replica; may be left out when the cluster has one',
    parse: parseReplicaId,
    expects: '12 hex digits',
  }),
  dtrVersion: text({
    flag: 'dtr-version',
    env: 'DTR_VERSION',
    placeholder: 'VERSION',
    help: 'the version of DTR, when it cannot be detected',
    parse: parseDtrVersion,
    expects: 'a version such as 2.9.4',
  }),
  rethinkdbAddr: text({
    flag: 'rethinkdb-addr',
    env: 'MSR_RETHINKDB_ADDR',
    placeholder: 'HOST:PORT',
    help: 'RethinkDB itself; without UCP settings neither UCP nor the overlay network is used',
    parse: parseRethinkdbAddress,
    expects: 'HOST:PORT',
  }),
  rethinkdbCa: pem({
    flag: 'rethinkdb-ca',
    notInDotenv: true,
    env: 'MSR_RETHINKDB_CA_CERT_FILE',
    help: "path of the CA certificate that RethinkDB's is checked against",
  }),
  rethinkdbClientCert: pem({
    flag: 'rethinkdb-client-cert',
    env: 'MSR_RETHINKDB_CLIENT_CERT_FILE',
    help: 'path of the client certificate',
  }),
  rethinkdbClientKey: pem({
    flag: 'rethinkdb-client-key',
    env: 'MSR_RETHINKDB_CLIENT_KEY_FILE',
    help: 'path of the client key',
  }),
  rethinkdbClientKeyPassphrase: text({
    flag: 'rethinkdb-client-key-passphrase',
    env: 'MSR_RETHINKDB_CLIENT_KEY_PASSPHRASE',
    placeholder: 'PASSPHRASE',
    help: 'password of an encrypted client key; better passed as the variable or its _FILE: flags show in process lists',
    parse: secret,
    extended: true,
  }),
  rethinkdbUser: text({
    flag: 'rethinkdb-user',
    env: 'MSR_RETHINKDB_USER',
    placeholder: 'NAME',
    help: 'a user of RethinkDB itself',
    parse: anyText,
    default: 'admin',
    extended: true,
  }),
  rethinkdbPassword: text({
    flag: 'rethinkdb-password',
    env: 'MSR_RETHINKDB_PASSWORD',
    placeholder: 'PASSWORD',
    help: 'password of that user; better passed as the variable or its _FILE: flags show in process lists',
    parse: secret,
    extended: true,
  }),
  rethinkdbInsecureSkipVerify: flag({
    flag: 'rethinkdb-insecure-skip-verify',
    help: "do not check RethinkDB's certificate",
    extended: true,
  }),
  rethinkdbPlaintext: flag({
    flag: 'rethinkdb-plaintext',
    help: 'no TLS; only together with --rethinkdb-addr',
    extended: true,
  }),
  connectTimeout: text({
    flag: 'connect-timeout',
    env: 'DTR_CONNECT_TIMEOUT',
    placeholder: 'SECONDS',
    help: 'how long UCP or RethinkDB may be away, at the start and in the middle',
    parse: seconds,
    expects: 'seconds, such as 60 or 0.5',
    default: '60',
    extended: true,
  }),
  readTimeout: text({
    flag: 'read-timeout',
    env: 'DTR_READ_TIMEOUT',
    placeholder: 'SECONDS',
    help: 'how long one read of RethinkDB, or of the images, may wait for data',
    parse: seconds,
    expects: 'seconds, such as 60 or 0.5',
    default: '60',
    extended: true,
  }),
} as const;
