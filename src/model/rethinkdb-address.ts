/** Where a RethinkDB server's driver port is. */
export interface RethinkdbAddress {
  readonly host: string;
  readonly port: number;
}

/** RethinkDB's driver port where nobody says otherwise. */
export const defaultDriverPort = 28015;

/** `HOST`, `HOST:PORT` or `[IPV6]:PORT`; undefined where it is none of them. */
export function parseRethinkdbAddress(text: string): RethinkdbAddress | undefined {
  const match = /^(?:\[(?<ipv6>[0-9a-fA-F:.]+)\]|(?<name>[^\s:[\]/]+))(?::(?<port>\d{1,5}))?$/.exec(text.trim());
  const host = match?.groups?.ipv6 ?? match?.groups?.name;
  const port = Number(match?.groups?.port ?? defaultDriverPort);
  return host !== undefined && port >= 1 && port <= 65535 ? { host, port } : undefined;
}

/** The same in text, for messages. */
export function formatAddress({ host, port }: RethinkdbAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
