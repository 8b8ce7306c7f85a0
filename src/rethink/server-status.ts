/** What a RethinkDB server says of itself and of its cluster. */
import { isRethinkDBError, r } from 'rethinkdb-ts';
import { z } from 'zod';
import type { RethinkSession } from './session.js';

const statusSchema = z.array(z.object({ process: z.object({ version: z.string() }) }));
const issuesSchema = z.array(z.object({ type: z.string(), description: z.string().optional() }));

/** The version number (`2.4.4`), or undefined where the server does not tell (no system tables, no right to them). */
export async function readServerVersion(session: RethinkSession): Promise<string | undefined> {
  const rows = statusSchema.safeParse(await askSystemTable(session, 'server_status'));
  const text = rows.data?.[0]?.process.version;
  return text === undefined ? undefined : /\d+\.\d+[\w.~-]*/.exec(text)?.[0];
}

/** How many servers can hold a replica of a table; 1 where the cluster does not tell. */
export async function countServers(session: RethinkSession): Promise<number> {
  const rows = statusSchema.safeParse(await askSystemTable(session, 'server_status'));
  return Math.max(1, rows.data?.length ?? 1);
}

/** One line for each issue of the cluster; none on a healthy one. */
export async function readCurrentIssues(session: RethinkSession): Promise<string[]> {
  const rows = issuesSchema.safeParse(await askSystemTable(session, 'current_issues'));
  return (rows.data ?? []).map(({ type, description }) => (description ?? type).replaceAll(/\s+/g, ' ').trim());
}

async function askSystemTable(session: RethinkSession, name: string): Promise<unknown> {
  try {
    return await session.ask(r.db('rethinkdb').table(name));
  } catch (error) {
    if (isRethinkDBError(error)) return undefined;
    throw session.failure(`read ${name} of the database rethinkdb`, error);
  }
}
