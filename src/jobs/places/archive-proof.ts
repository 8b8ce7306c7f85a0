/** What must be seen in an archive itself before it is removed: its summary alone could say anything. */
import { readHead, type ArchiveHead } from '../../archive/read/archive-head.js';
import { imageRoot } from '../../archive/images/image-layout.js';
import { printable } from '../../base/printable.js';
import type { Summary } from '../../model/summary.js';
import type { Store } from '../../store/store.js';

/**
 * Reads the archive's first bytes, and gives why they do not show that it is the one of this summary: of ours, of the same
 * kind, replica and start. An encrypted one shows only that it is encrypted, and its size. Throws a JobError with exit
 * code 2 where it cannot be read, or the signal's reason.
 */
export async function faultOfArchive(path: string, summary: Summary, store: Store): Promise<string | undefined> {
  await using input = await store.openInput(path);
  if (input.sizeBytes !== summary.stored.bytes)
    return `it has ${input.sizeBytes ?? 'unknown'} bytes, and its summary says ${summary.stored.bytes}`;
  return faultOfHead(await readHead(input), summary);
}

function faultOfHead(head: ArchiveHead, summary: Summary): string | undefined {
  if (head.kind === 'foreign') return `it ${head.reason}`;
  const isEncrypted = head.kind === 'encrypted';
  if (isEncrypted !== summary.isEncrypted)
    return `it is ${isEncrypted ? '' : 'not '}encrypted, and its summary says otherwise`;
  if (head.kind === 'encrypted') return undefined;
  if (head.kind !== summary.kind) return `it holds ${head.kind}, and its summary says ${summary.kind}`;
  if (head.root !== summary.root)
    return `its root is ${printable(head.root)}/, and its summary says ${printable(summary.root)}/`;
  const { replicaId = '' } = summary;
  if (head.kind === 'images') return head.root === imageRoot(replicaId) ? undefined : otherReplica(replicaId);
  if (head.plan.replicaId !== summary.replicaId) return otherReplica(replicaId);
  if (Date.parse(head.plan.startedAt) === Date.parse(summary.startedAt)) return undefined;
  return `it was started at ${head.plan.startedAt}, and its summary says ${summary.startedAt}`;
}

function otherReplica(replicaId: string): string {
  return `it is of another replica than ${printable(replicaId)}, which its summary names`;
}
