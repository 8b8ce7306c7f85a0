/** Where symbolic links lead within a tree that is held in memory. */
import type { FileOwnership } from './file-tree.js';

export type TreeNode =
  | { readonly kind: 'directory' }
  | { readonly kind: 'file'; readonly body: Buffer; readonly ownership: FileOwnership }
  | { readonly kind: 'symlink'; readonly target: string }
  /** `what` it is, in words. */
  | { readonly kind: 'other'; readonly what: string };

/** As many as Linux follows. */
const maxLinks = 40;

/**
 * What the link at `path` leads to in the end, as the kernel would find it where the tree lies at `directory`: undefined
 * where that is nothing, `outside` where it leads out of the tree.
 */
export function resolveLink(
  nodes: ReadonlyMap<string, TreeNode>,
  path: string,
  directory: string,
): Exclude<TreeNode, { kind: 'symlink' }> | 'outside' | undefined {
  const at: string[] = [];
  const left = path.split('/');
  let linkCount = 0;
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (at.pop() === undefined) return 'outside';
      continue;
    }
    const node = nodes.get([...at, name].join('/'));
    if (node?.kind !== 'symlink') {
      if (node === undefined || (node.kind !== 'directory' && left.length > 0)) return undefined;
      at.push(name);
      continue;
    }
    linkCount += 1;
    if (linkCount > maxLinks) return undefined;
    const target = targetWithin(node.target, directory);
    if (target === undefined) return 'outside';
    if (target.isAbsolute) at.length = 0;
    left.unshift(...target.names);
  }
  const found = nodes.get(at.join('/'));
  return at.length === 0 ? { kind: 'directory' } : found?.kind === 'symlink' ? undefined : found;
}

/** An absolute target's names below the directory; undefined where it does not lie there. */
function targetWithin(
  target: string,
  directory: string,
): { readonly names: readonly string[]; readonly isAbsolute: boolean } | undefined {
  if (!target.startsWith('/')) return { names: target.split('/'), isAbsolute: false };
  const names = target.split('/').filter((name) => name !== '' && name !== '.');
  const root = directory.split('/').filter((name) => name !== '');
  return root.every((name, index) => name === names[index])
    ? { names: names.slice(root.length), isAbsolute: true }
    : undefined;
}
