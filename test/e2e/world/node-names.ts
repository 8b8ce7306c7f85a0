/** Docker's answers about containers as UCP gives them: names and volumes carry the node, networks of the swarm do not. */

interface Container {
  readonly Name?: string;
  readonly Names?: readonly string[];
  readonly Mounts?: readonly { readonly Type?: string; readonly Name?: string }[];
}

/** Takes the answer to a list or to an inspection. */
export function withNode(node: string, answer: unknown): unknown {
  return Array.isArray(answer)
    ? answer.map((container) => containerOn(node, container as Container))
    : containerOn(node, answer as Container);
}

function containerOn(node: string, container: Container): Container {
  const { Name, Names, Mounts } = container;
  return {
    ...container,
    ...(Name !== undefined && { Name: `/${node}${Name}` }),
    ...(Names !== undefined && { Names: Names.map((name) => `/${node}${name}`) }),
    ...(Mounts !== undefined && {
      Mounts: Mounts.map((mount) =>
        mount.Type === 'volume' && mount.Name !== undefined ? { ...mount, Name: `${node}/${mount.Name}` } : mount,
      ),
    }),
  };
}
