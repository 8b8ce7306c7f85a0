/** Which container this process runs in, by the traces Docker leaves inside of one. */

/** Reads a text file; rejects where it cannot. */
type ReadTextFile = (path: string) => Promise<string>;

/**
 * The id of our own container, in full or its first 12 digits; undefined where it cannot be found. Docker mounts three
 * files of its own into every container, and cgroup v1 spells the id: in full, so that no other can be meant. The host
 * name is the short id unless `--hostname` or `--network host` made it another.
 */
export async function findOwnContainerId(hostName: string, readFile: ReadTextFile): Promise<string | undefined> {
  const readOrNothing = (path: string): Promise<string> => readFile(path).catch(() => '');
  return (
    idFromMounts(await readOrNothing('/proc/self/mountinfo')) ??
    idFromCgroups(await readOrNothing('/proc/self/cgroup')) ??
    (/^(?:[0-9a-f]{12}|[0-9a-f]{64})$/.test(hostName) ? hostName : undefined)
  );
}

/**
 * From lines such as `… /var/lib/docker/containers/<id>/hosts /etc/hosts …` (proc(5): the 4th field is the path in the
 * mounted file system, the 5th the mount point). Other mounts may show the directories of other containers.
 */
function idFromMounts(mountinfo: string): string | undefined {
  for (const line of mountinfo.split('\n')) {
    const [, , , root = '', mountPoint = ''] = line.split(' ');
    const id = /(?:^|\/)containers\/([0-9a-f]{64})\//.exec(root)?.[1];
    if (id !== undefined && /^\/etc\/(?:hostname|hosts|resolv\.conf)$/.test(mountPoint)) return id;
  }
  return undefined;
}

/** From `…:/docker/<id>` and `…/docker-<id>.scope`; cgroup v2 shows `/` from inside and gives nothing. */
function idFromCgroups(cgroups: string): string | undefined {
  return /[/-]([0-9a-f]{64})(?:\.scope)?$/m.exec(cgroups)?.[1];
}
