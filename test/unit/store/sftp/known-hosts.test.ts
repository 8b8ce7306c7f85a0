import { describe, expect, test } from '@jest/globals';
import { createHostKeyCheck, fingerprintOf, isFingerprint } from '#src/store/sftp/host-key.js';
import { findKnownKeys, knownHostsName } from '#src/store/sftp/known-hosts.js';

const ed25519 = 'AAAAC3NzaC1lZDI1NTE5AAAAIPM95jQrinqmIlMfvQJ9mQTra7t+tHWgnSOks8Lysliu';
const ecdsa =
  'AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBPVsc+AL2Jj/xXJjxWrv1NNXOUFYFMW5e24Up/bfkvy/q+ZfAex7OBtzLYvKImeI1kLI3PWECaySlQxhexC8+uQ=';
const key = Buffer.from(ed25519, 'base64');
const otherKey = Buffer.from(ecdsa, 'base64');
/** Made by `ssh-keygen -H` of backup.example and [backup.example]:2222. */
const hashed = [
  `|1|W96HkbURCODX8JYcvtwBq47VrGg=|secgEf1JIfGmfTJbzrr8mWrbd5U= ssh-ed25519 ${ed25519}`,
  `|1|Sk5bkd6EcS1Zs1/HmjqVViiW8Xw=|XBAVbd96J+r0t5XxgVOSS2ymkzw= ssh-ed25519 ${ed25519}`,
];

function check(knownHosts: string | undefined, changes: { host?: string; port?: number; fingerprint?: string } = {}) {
  const { host = 'backup.example', port = 22, fingerprint } = changes;
  return createHostKeyCheck({ host, port, knownHosts, fingerprint });
}

describe('known_hosts', () => {
  test.each([
    ['backup.example', 'backup.example', 22, true],
    ['Backup.Example', 'BACKUP.example', 22, true],
    ['other,backup.example,10.0.0.1', 'backup.example', 22, true],
    ['backup.example', 'backup.example', 2222, false],
    ['[backup.example]:2222', 'backup.example', 2222, true],
    ['[backup.example]:2222', 'backup.example', 22, false],
    ['[backup.example]:2222', 'backup.example', 2223, false],
    ['*.example', 'backup.example', 22, true],
    ['*.example', 'backup.example.org', 22, false],
    ['*.example', 'example', 22, false],
    ['back?p.example', 'backup.example', 22, true],
    ['back?p.example', 'backp.example', 22, false],
    ['*.example,!backup.example', 'backup.example', 22, false],
    ['!backup.example,*.example', 'backup.example', 22, false],
    ['*.example,!backup.example', 'other.example', 22, true],
    ['!other.example', 'backup.example', 22, false],
    ['*', 'backup.example', 2222, true],
    ['::1', '::1', 22, true],
    ['[::1]:2222', '::1', 2222, true],
    ['backupxexample', 'backup.example', 22, false],
  ])('the line of %s is of %s port %d: %s', (names, host, port, expected) => {
    const { trusted } = findKnownKeys(`${names} ssh-ed25519 ${ed25519} a comment`, knownHostsName(host, port));
    expect(trusted.length === 1).toBe(expected);
  });

  test('names may be hashed', () => {
    for (const [index, port] of [22, 2222].entries()) {
      const lines = hashed[index] ?? '';
      expect(findKnownKeys(lines, knownHostsName('backup.example', port)).trusted).toEqual([
        { type: 'ssh-ed25519', key },
      ]);
      expect(findKnownKeys(lines, knownHostsName('backup.example', port + 1)).trusted).toEqual([]);
    }
  });

  test('lines that cannot be read are left out', () => {
    const text = [
      '',
      '# backup.example ssh-ed25519 comment',
      'backup.example',
      'backup.example ssh-ed25519',
      'backup.example 1024 35 1234567',
      `backup.example ssh-rsa ${ed25519}`,
      `@unknown backup.example ssh-ed25519 ${ed25519}`,
      `  backup.example\tssh-ed25519\t${ed25519}\r`,
    ].join('\n');
    expect(findKnownKeys(text, 'backup.example').trusted).toHaveLength(1);
  });
});

describe('a host key', () => {
  test('is trusted by a line that has it, of whichever line', () => {
    const trusted = check(`backup.example ecdsa-sha2-nistp256 ${ecdsa}\nbackup.example ssh-ed25519 ${ed25519}`);
    expect(trusted.isTrusted(key)).toBe(true);
    expect(trusted.isTrusted(otherKey)).toBe(true);
    expect(check(`backup.example ssh-ed25519 ${ed25519}`).isTrusted(otherKey)).toBe(false);
  });

  test('only kinds that are known are offered first: a server may have more', () => {
    expect(check(`backup.example ssh-ed25519 ${ed25519}`).offers).toEqual([['ssh-ed25519'], undefined]);
    expect(check(`other.example ssh-ed25519 ${ed25519}`).offers).toEqual([undefined]);
    const rsa = Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from('ssh-rsa')]).toString('base64');
    expect(check(`backup.example ssh-rsa ${rsa}`).offers[0]).toEqual(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa']);
  });

  test('that is revoked is refused, although another line trusts it', () => {
    const revoked = check(`backup.example ssh-ed25519 ${ed25519}\n@revoked * ssh-ed25519 ${ed25519}`);
    expect(revoked.isTrusted(key)).toBe(false);
    expect(revoked.refusal([key])).toMatch(/marked @revoked in --ssh-known-hosts/);
  });

  test.each([
    ['nothing', undefined, /neither --ssh-known-hosts nor --ssh-fingerprint/],
    ['no line', '', /--ssh-known-hosts has no line for backup\.example/],
    ['another key', `backup.example ecdsa-sha2-nistp256 ${ecdsa}`, /not the one that --ssh-known-hosts has/],
    ['an authority', `@cert-authority *.example ssh-ed25519 ${ed25519}`, /only @cert-authority lines/],
  ])('is shown with its fingerprint where the operator gave %s', (_what, knownHosts, reason) => {
    const refused = check(knownHosts);
    expect(refused.isTrusted(key)).toBe(false);
    expect(refused.refusal([key])).toMatch(reason);
    expect(refused.refusal([key])).toContain('ssh-ed25519 SHA256:+0AfhYpruynsszn0SAVtwmFfG3tx/YtZDeyK8ivpLX0');
    expect(refused.refusal([key])).not.toContain('\n');
  });

  test('is compared with a fingerprint, padded or not, for every kind of key that the server may have', () => {
    const fingerprint = fingerprintOf(otherKey);
    expect(fingerprint).toBe('SHA256:H5qeEuJbcM4dh2+eJMaJ87fQ2/xcszeKg6h4UVAOT0U');
    for (const given of [fingerprint, `${fingerprint}=`]) {
      const compared = check(undefined, { fingerprint: given });
      expect(compared.isTrusted(otherKey)).toBe(true);
      expect(compared.isTrusted(key)).toBe(false);
      expect(compared.offers.length).toBeGreaterThan(1);
      expect(compared.refusal([key, key])).toMatch(/not that of --ssh-fingerprint, SHA256:H5.*SHA256:\+0/);
    }
    expect(isFingerprint(fingerprint)).toBe(true);
    expect(isFingerprint('MD5:aa:bb')).toBe(false);
    expect(isFingerprint(fingerprint.slice(1))).toBe(false);
  });
});
