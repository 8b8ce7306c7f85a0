import { describe, expect, test } from '@jest/globals';
import { findOwnContainerId } from '#src/ucp/own-container.js';

const id = 'a1b2c3d4e5f6'.padEnd(64, '0');
const other = 'f'.repeat(64);

const reader = (files: Readonly<Record<string, string>>) => (path: string) => {
  const text = files[path];
  return text === undefined ? Promise.reject(new Error(`ENOENT: ${path}`)) : Promise.resolve(text);
};

/** As a container on Docker 20.10 sees it. */
const mountinfo = (root: string, mountPoint: string): string =>
  [
    '593 468 0:49 / / rw,relatime master:192 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/X',
    '594 593 0:53 / /proc rw,nosuid - proc proc rw',
    `605 593 259:1 ${root} ${mountPoint} rw,relatime - ext4 /dev/sda1 rw`,
    '',
  ].join('\n');

const docker = `/var/lib/docker/containers/${id}/hosts`;

describe('our own container', () => {
  test('is what the host name says, by default the short id', async () => {
    expect(await findOwnContainerId('a1b2c3d4e5f6', reader({}))).toBe('a1b2c3d4e5f6');
    expect(await findOwnContainerId(id, reader({}))).toBe(id);
  });

  test.each([docker, `/containers/${id}/hosts`, `/data/docker/containers/${id}/hosts`])(
    'is found among the mounts where the host name is another: %s',
    async (root) => {
      const files = { '/proc/self/mountinfo': mountinfo(root, '/etc/hosts') };
      expect(await findOwnContainerId('backup-host', reader(files))).toBe(id);
    },
  );

  test('is the one of the mounts where the host name is like a short id, too: that is in full, and no choice of anybody', async () => {
    const files = { '/proc/self/mountinfo': mountinfo(docker, '/etc/hosts') };
    expect(await findOwnContainerId('a1b2c3d4e5f6', reader(files))).toBe(id);
    expect(await findOwnContainerId('ffffffffffff', reader(files))).toBe(id);
  });

  test('is not another one, whose directory is mounted here', async () => {
    const foreign = mountinfo(`/var/lib/docker/containers/${other}/mounts/shm`, `/host/containers/${other}/shm`);
    const files = { '/proc/self/mountinfo': foreign + mountinfo(docker, '/etc/hosts') };
    expect(await findOwnContainerId('backup-host', reader(files))).toBe(id);
  });

  test.each([`12:memory:/docker/${id}\n1:name=systemd:/docker/${id}\n`, `0::/system.slice/docker-${id}.scope\n`])(
    'is found in the control groups: %j',
    async (cgroup) => {
      const files = { '/proc/self/mountinfo': '', '/proc/self/cgroup': cgroup };
      expect(await findOwnContainerId('backup-host', reader(files))).toBe(id);
    },
  );

  test.each([
    ['nothing can be read', {}],
    ['nothing speaks of one', { '/proc/self/mountinfo': mountinfo('/', '/etc/hosts'), '/proc/self/cgroup': '0::/\n' }],
    ['podman made it', { '/proc/self/mountinfo': mountinfo(`/overlay-containers/${id}/userdata/hosts`, '/etc/hosts') }],
  ])('is unknown where %s', async (_why, files) => {
    expect(await findOwnContainerId('laptop', reader(files))).toBeUndefined();
  });
});
