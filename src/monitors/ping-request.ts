/**
 * One ping over HTTP: its URL, its credentials, its redirects. Path, query and credentials of the URL are secret, as they
 * are what a monitor knows its clients by: no error here names more than the host.
 */

/** What is pinged. */
export interface PingTarget {
  /** Without credentials: fetch takes none in a URL. */
  readonly url: URL;
  /** The header made of them. */
  readonly authorization: string | undefined;
}

/** Undefined for what is no absolute http or https URL. */
export function parsePingUrl(text: string): PingTarget | undefined {
  return /^https?:\/\//i.test(text) ? targetOf(text) : undefined;
}

function targetOf(text: string, base?: URL): PingTarget | undefined {
  try {
    const url = new URL(text, base);
    if (!['http:', 'https:'].includes(url.protocol)) return undefined;
    const [name, password] = [url.username, url.password].map(decodeURIComponent);
    url.username = '';
    url.password = '';
    if (!name && !password) return { url, authorization: undefined };
    return { url, authorization: `Basic ${Buffer.from(`${name ?? ''}:${password ?? ''}`).toString('base64')}` };
  } catch {
    return undefined;
  }
}

/** The target with `name` at the end of its path, in front of its query: `/start`, `/fail`. */
export function belowTarget({ url, authorization }: PingTarget, name: string): PingTarget {
  const below = new URL(url);
  below.pathname = `${url.pathname.replace(/\/+$/, '')}/${name}`;
  return { url: below, authorization };
}

export interface PingRequest {
  readonly target: PingTarget;
  /** Sent by POST; without one the request is a GET. */
  readonly body: string | undefined;
  readonly userAgent: string;
}

/** An answer that says no. */
export class PingRefused extends Error {
  override readonly name = 'PingRefused';

  constructor(
    message: string,
    /** Whether the same request may be accepted later. */
    readonly isTransient: boolean,
  ) {
    super(message);
  }
}

const maxRedirects = 5;
const redirects: readonly number[] = [301, 302, 303, 307, 308];
/** With these a redirected POST stays one. */
const redirectsThatKeepMethod: readonly number[] = [307, 308];

/**
 * Resolves with an answer of 2xx, which is not read. Throws a PingRefused for any other, and the error of fetch where no
 * answer comes.
 */
export async function sendPing(request: PingRequest, signal: AbortSignal): Promise<void> {
  let { target, body } = request;
  for (let count = 0; ; count += 1) {
    const { status, headers } = await answerTo({ ...request, target, body }, signal);
    if (status >= 200 && status < 300) return;
    const location = redirects.includes(status) ? headers.get('location') : null;
    if (location === null) throw new PingRefused(`it answers with status ${status}`, isTransientStatus(status));
    if (count === maxRedirects) throw new PingRefused(`it redirects more than ${maxRedirects} times`, false);
    target = redirected(target, location);
    if (!redirectsThatKeepMethod.includes(status)) body = undefined;
  }
}

async function answerTo({ target, body, userAgent }: PingRequest, signal: AbortSignal): Promise<Response> {
  const { url, authorization } = target;
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    ...(body !== undefined && { body }),
    // Not kept alive: a connection that is left open keeps the process from ending for seconds.
    headers: { 'user-agent': userAgent, connection: 'close', ...(authorization !== undefined && { authorization }) },
    redirect: 'manual',
    signal,
  });
  await response.body?.cancel();
  return response;
}

/** Credentials are for the host that they were given for. */
function redirected(from: PingTarget, location: string): PingTarget {
  const to = targetOf(location, from.url);
  if (to === undefined) throw new PingRefused('it redirects to what is no http or https URL', false);
  const isSameOrigin = to.url.origin === from.url.origin;
  return isSameOrigin && to.authorization === undefined ? { ...to, authorization: from.authorization } : to;
}

function isTransientStatus(status: number): boolean {
  return status >= 500 || status === 408 || status === 429;
}
