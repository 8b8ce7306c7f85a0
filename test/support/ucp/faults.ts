/** The faults a test can switch on in the UCP stand-in: each for certain requests and a number of times. */

export type Fault =
  /** Nothing is done; this is answered. */
  | { readonly kind: 'status'; readonly status: number; readonly message?: string; readonly retryAfter?: string }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'html'; readonly status?: number }
  | { readonly kind: 'body'; readonly body: string }
  /** Answers with the request's own authorization and body, as some proxies do with what they do not like. */
  | { readonly kind: 'echo'; readonly status: number }
  /** Nothing is ever answered. */
  | { readonly kind: 'hang' }
  /** Done and answered only then, also where the client has gone meanwhile. */
  | { readonly kind: 'late'; readonly until: Promise<unknown> }
  /** The connection is torn before anything is done. */
  | { readonly kind: 'reset' }
  /** Done, but the connection is torn in place of the answer. */
  | { readonly kind: 'lost-answer' }
  /** Done; half of the answer is sent, and then nothing more. */
  | { readonly kind: 'stall' }
  /** Done; half of the answer is sent, and the rest a byte now and then. */
  | { readonly kind: 'trickle' }
  /** Done; half of the answer is sent, and then the connection is torn. */
  | { readonly kind: 'cut' };

export interface FaultRule {
  /** Matched against `<METHOD> <path with query>`. */
  readonly on: RegExp;
  readonly fault: Fault;
  /** For ever when left out. */
  readonly times?: number;
}

export class Faults {
  #rules: { readonly rule: FaultRule; left: number }[] = [];

  /** Rules are tried in the order they were added; a used-up one counts no more. */
  add(rule: FaultRule): void {
    this.#rules.push({ rule, left: rule.times ?? Infinity });
  }

  clear(): void {
    this.#rules = [];
  }

  /** The fault for this request, which counts as one time. */
  take(request: string): Fault | undefined {
    const entry = this.#rules.find(({ rule, left }) => left > 0 && rule.on.test(request));
    if (entry !== undefined) entry.left -= 1;
    return entry?.rule.fault;
  }
}
