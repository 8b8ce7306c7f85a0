/** Signing in to the UCP stand-in: one user, and the tokens it has been given. */
import { randomBytes } from 'node:crypto';
import { json, refusal, type StandInAnswer, type StandInRequest } from './answer.js';

export class Accounts {
  readonly username: string;
  password: string;
  /** Every token ever given, for a test to look for where none may be. */
  readonly givenTokens: string[] = [];
  readonly #validTokens = new Set<string>();

  constructor(username: string, password: string) {
    this.username = username;
    this.password = password;
  }

  /** What must never be seen in a message or a log. */
  get secrets(): string[] {
    return [this.password, ...this.givenTokens];
  }

  /** Ends every session, as UCP does after a while. */
  expireTokens(): void {
    this.#validTokens.clear();
  }

  /** `POST /auth/login`. */
  signIn({ body }: StandInRequest): StandInAnswer {
    const { username, password } = JSON.parse(body) as { username?: unknown; password?: unknown };
    if (username !== this.username || password !== this.password) {
      return json(401, { errors: [{ code: 'UNAUTHORIZED', message: 'invalid username or password' }] });
    }
    const token = randomBytes(24).toString('base64url');
    this.givenTokens.push(token);
    this.#validTokens.add(token);
    return json(200, { auth_token: token });
  }

  /** Tokens that are still good. */
  get openSessions(): number {
    return this.#validTokens.size;
  }

  /** `POST /auth/logout`. */
  signOut({ headers }: StandInRequest): StandInAnswer {
    this.#validTokens.delete(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '');
    return { status: 200 };
  }

  /** The refusal of a request that carries no valid token. */
  refuse({ headers }: StandInRequest): StandInAnswer | undefined {
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    return token !== undefined && this.#validTokens.has(token) ? undefined : refusal(401, 'unauthorized');
  }
}
