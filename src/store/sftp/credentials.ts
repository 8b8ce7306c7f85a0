/** How a user signs in to an SSH server: with a private key, a password, or both. Checked before anything is connected. */
import ssh2, { type AnyAuthMethod, type ParsedKey } from 'ssh2';
import { failed, success, type Result } from '../../base/result.js';
import type { Secret } from '../../base/secret.js';

interface CredentialSettings {
  readonly privateKey: Secret | undefined;
  readonly passphrase: Secret | undefined;
}

/** The private key, opened: that may take a second, so it is done once. Undefined where none is given. */
export function openPrivateKey({ privateKey, passphrase }: CredentialSettings): Result<ParsedKey | undefined> {
  if (privateKey === undefined) return success(undefined);
  const text = privateKey.reveal();
  const key = ssh2.utils.parseKey(text, passphrase?.reveal());
  if (key instanceof Error) {
    if (!isEncrypted(text))
      return failed('it is not a private key that OpenSSH or PEM knows (`ssh-keygen -p` converts others)');
    return failed(
      passphrase === undefined
        ? 'it is encrypted: give its passphrase with --sftp-key-passphrase'
        : 'its passphrase does not open it',
    );
  }
  // The types know of one key only; a file in OpenSSH's format gives an array.
  const [first] = [key].flat();
  return first?.isPrivateKey() === true ? success(first) : failed('it is a public key: give the private one');
}

const openSshMagic = 'openssh-key-v1\0';

/** In OpenSSH's own format, the name of the cipher stands first, after its length (PROTOCOL.key of OpenSSH). */
function isEncrypted(text: string): boolean {
  const [, base64] = /BEGIN OPENSSH PRIVATE KEY-----([^-]+)-----/.exec(text) ?? [];
  if (base64 === undefined) {
    return /^Proc-Type: 4,ENCRYPTED|BEGIN ENCRYPTED PRIVATE KEY|^Encryption: (?!none)/m.test(text);
  }
  const body = Buffer.from(base64, 'base64').toString('latin1');
  return body.startsWith(openSshMagic) && !body.startsWith('none', openSshMagic.length + 4);
}

interface Credentials {
  readonly username: string;
  readonly key: ParsedKey | undefined;
  readonly password: Secret | undefined;
}

/** In the order in which they are tried. */
export function authMethods({ username, key, password }: Credentials): readonly AnyAuthMethod[] {
  const methods: AnyAuthMethod[] = [];
  if (key !== undefined) methods.push({ type: 'publickey', username, key });
  if (password !== undefined) {
    methods.push({ type: 'password', username, password: password.reveal() });
    methods.push({
      // As servers with PAM ask for it.
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => password.reveal())),
    });
  }
  return methods;
}
