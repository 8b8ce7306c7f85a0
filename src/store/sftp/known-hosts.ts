/** The lines of a known_hosts file, as sshd(8) of OpenSSH describes them under SSH_KNOWN_HOSTS FILE FORMAT. */
import { createHmac } from 'node:crypto';

interface KnownHostsLine {
  readonly marker: '' | '@revoked' | '@cert-authority';
  /** Comma-separated patterns, or one hashed name. */
  readonly names: string;
  readonly type: string;
  readonly key: Buffer;
}

/** What a known_hosts file says of one host. */
export interface KnownKeys {
  readonly trusted: readonly KnownKey[];
  /** No server may show these. */
  readonly revoked: readonly Buffer[];
  /** Whether there are lines of certificate authorities. */
  readonly hasAuthorities: boolean;
}

export interface KnownKey {
  /** Such as `ssh-ed25519`. */
  readonly type: string;
  /** In the form in which servers send it (RFC 4253, section 6.6). */
  readonly key: Buffer;
}

/** As OpenSSH spells hosts in the file: `host`, or `[host]:port` for any port but 22. */
export function knownHostsName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** `name` is of `knownHostsName`. Lines that cannot be read are left out, as ssh(1) does. */
export function findKnownKeys(text: string, name: string): KnownKeys {
  const lines = text
    .split('\n')
    .map(parseLine)
    .filter((line) => line !== undefined && isNamed(line.names, name)) as KnownHostsLine[];
  const of = (marker: KnownHostsLine['marker']): KnownHostsLine[] => lines.filter((line) => line.marker === marker);
  return {
    trusted: of('').map(({ type, key }) => ({ type, key })),
    revoked: of('@revoked').map(({ key }) => key),
    hasAuthorities: of('@cert-authority').length > 0,
  };
}

const linePattern = /^(?:(@revoked|@cert-authority)\s+)?([^\s@#]\S*)\s+(\S+)\s+([A-Za-z0-9+/]+=*)(?:\s|$)/;

function parseLine(text: string): KnownHostsLine | undefined {
  const [, marker = '', names = '', type = '', base64 = ''] = linePattern.exec(text.trim()) ?? [];
  const key = Buffer.from(base64, 'base64');
  // A key begins with its type: one cut short, or of the format of SSH 1, does not.
  if (names === '' || !key.subarray(4).toString('latin1').startsWith(type)) return undefined;
  return { marker: marker as KnownHostsLine['marker'], names, type, key };
}

function isNamed(names: string, name: string): boolean {
  const [, salt, hash] = /^\|1\|([^|]+)\|(.+)$/.exec(names) ?? [];
  if (salt !== undefined && hash !== undefined) {
    const hashed = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
    return hashed.equals(Buffer.from(hash, 'base64'));
  }
  const patterns = names.toLowerCase().split(',');
  const isExcluded = patterns.some((pattern) => pattern.startsWith('!') && isMatch(pattern.slice(1), name));
  return !isExcluded && patterns.some((pattern) => isMatch(pattern, name));
}

/** `*` stands for any characters, `?` for one. */
function isMatch(pattern: string, name: string): boolean {
  const source = pattern
    .replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)
    .replaceAll(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(name);
}
