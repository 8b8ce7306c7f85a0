/** Where UCP is: an origin such as `https://ucp.example.com:8443`, without a path and without a slash at the end. */
export type UcpUrl = string & { readonly __brand: 'UcpUrl' };

/**
 * The URL in `text`, with or without `https://`; a path, query or fragment is cut off. Undefined where it is none,
 * where it asks for another scheme (a password never goes over plain HTTP), or where it holds a user name.
 */
export function parseUcpUrl(text: string): UcpUrl | undefined {
  const trimmed = text.trim();
  const candidate = /^https:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`;
  // URL would take `https:///x` and `https://http://x` for the hosts `x` and `http`.
  if (!/^https:\/\/[^/\\?#:]/i.test(candidate) || /^https:\/\/[a-z]+:\/\//i.test(candidate)) return undefined;
  if (!URL.canParse(candidate)) return undefined;
  const { host, origin, username, password } = new URL(candidate);
  if (host === '' || username !== '' || password !== '') return undefined;
  return origin as UcpUrl;
}
