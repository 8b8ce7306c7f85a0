/** The version and the issues that a RethinkDB server reports. */
import { r } from 'rethinkdb-ts';
import { z } from 'zod';
import { QueryError } from './errors.js';
import type { RethinkSession } from './session.js';

const serversSchema = z.array(z.object({ process: z.object({ version: z.string() }) }));
const issuesSchema = z.array(z.object({ type: z.string(), description: z.string().optional() }));

/** The version number (`2.4.4`), or undefined where the server does not tell (no system tables, no permission). */
export async function readServerVersion(session: RethinkSession): Promise<string | undefined> {
  const [server] = await readSystemTable(session, 'server_status', serversSchema);
  return /\d+\.\d+[\w.~-]*/.exec(server?.process.version ?? '')?.[0];
}

/** How many servers can hold a replica of a table; 1 where the cluster does not tell. */
export async function countServers(session: RethinkSession): Promise<number> {
  return Math.max(1, (await readSystemTable(session, 'server_status', serversSchema)).length);
}

/** One line for each issue of the cluster; none on a healthy one. */
export async function readCurrentIssues(session: RethinkSession): Promise<string[]> {
  const issues = await readSystemTable(session, 'current_issues', issuesSchema);
  return issues.map(({ type, description }) => (description ?? type).replaceAll(/\s+/g, ' ').trim());
}

/** Empty where the server refuses to show it, or shows something else. */
async function readSystemTable<T>(session: RethinkSession, name: string, schema: z.ZodType<T[]>): Promise<T[]> {
  const query = r.db('rethinkdb').table(name);
  try {
    return await session.ask(query, `read ${name} of the database rethinkdb`, schema.catch([]));
  } catch (error) {
    if (error instanceof QueryError) return [];
    throw error;
  }
}
