/** A part of the table of settings: what few need of TLS to UCP and RethinkDB. */
import { advanced, anyText, part, pem, text } from './setting.js';

export const ucpClient = part(advanced, {
  ucpClientCert: pem({
    env: 'UCP_CLIENT_CERT',
    help: 'client certificate, where UCP asks for one: PEM text or a path to it',
  }),
  ucpClientKey: pem({ env: 'UCP_CLIENT_KEY', help: 'key of that certificate: PEM text or a path to it' }),
});

export const rethinkdbName = part(advanced, {
  rethinkdbServerName: text(anyText('NAME'), {
    env: 'MSR_RETHINKDB_SERVER_NAME',
    notInDotenv: true,
    help: "the name that RethinkDB's certificate must have, where it is not that of the address",
  }),
});
