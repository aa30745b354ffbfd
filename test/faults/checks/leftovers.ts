/** After SIGTERM nothing is left: no process, no connection to Redis or PostgreSQL. */
import { eventually } from '../../support/eventually.ts';
import type { World } from '../world/world.ts';

const SESSIONS = `
  select count(*)::int as sessions from pg_stat_activity
  where backend_type = 'client backend' and application_name like 'odograph%'`;

async function connections(world: World): Promise<string[]> {
  const clients = String(await world.redisClient.client('LIST')).split('\n').filter((line) => line.includes('name=odograph'));
  const { rows } = await world.pool.query<{ sessions: number }>(SESSIONS);
  const sessions = rows[0]?.sessions ?? 0;
  return [
    ...(clients.length > 0 ? [`${clients.length} connections to Redis are left`] : []),
    ...(sessions > 0 ? [`${sessions} sessions of PostgreSQL are left`] : []),
  ];
}

/** Stops all programs. @returns what is wrong with how they ended, a line each */
export async function leftovers(world: World): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const program of world.programs.values()) {
    const code = await program.end('SIGTERM');
    if (code !== 0) problems.push(`${program.name} ended with ${code ?? 'nothing'} on SIGTERM`);
  }
  try {
    await eventually(async () => {
      const left = await connections(world);
      if (left.length > 0) throw new Error(left.join('; '));
    }, { timeoutMs: 5_000 });
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  return problems;
}
