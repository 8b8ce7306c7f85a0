/** What a mutual-TLS client needs, as PEM text. `ca` is what the server's certificate is checked against. */
import type { Secret } from '../base/secret.js';

export interface TlsIdentity {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: Secret;
  /** Opens the key, where it is encrypted. */
  readonly passphrase?: Secret;
}
