/** A process that uploads without end, for a test to kill: its argument is JSON of the server and the path. */
import { openStore, sftpSettings } from './sftp-client.js';

interface Upload {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  readonly fingerprint: string;
  readonly path: string;
}

const upload = JSON.parse(process.argv[2] ?? '') as Upload;
const { store } = await openStore(upload, sftpSettings(upload));
const output = await store.openOutput(upload.path, { force: false });
for (;;) await output.write(Buffer.alloc(100_000, 'x'));
