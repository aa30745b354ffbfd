/** What the operating system has booked for a process (proc(5), Linux): CPU time, and memory that is resident. */
import { readFile } from 'node:fs/promises';
import { descendantsOf } from '../../src/embedded/process-table.ts';

/** `sysconf(_SC_CLK_TCK)`: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const MICROSECONDS = 1_000_000;

/** Fields of /proc/<pid>/stat from the state on: utime and stime, and the same of children that have ended. */
const OWN_TIMES = [11, 12];
const TIMES_OF_ENDED_CHILDREN = [13, 14];

async function seconds(pid: number, indexes: readonly number[]): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return indexes.reduce((sum, index) => sum + Number(fields[index]), 0) / TICKS_PER_SECOND;
}

/** Seconds of CPU, in user and in system mode, of all threads since its start. */
export function cpuSeconds(pid: number): Promise<number> {
  return seconds(pid, OWN_TIMES);
}

/** The same of a process and all its children, those that have ended too: PostgreSQL is a process a connection. */
export async function treeCpuSeconds(pid: number): Promise<number> {
  const all = [...OWN_TIMES, ...TIMES_OF_ENDED_CHILDREN];
  const children = await Promise.all((await descendantsOf(pid)).map((child) => secondsUnlessEnded(child, all)));
  // The process itself comes last: by then the time of a child that has ended meanwhile is among its own.
  return (await seconds(pid, all)) + children.reduce((sum, time) => sum + time, 0);
}

async function secondsUnlessEnded(pid: number, indexes: readonly number[]): Promise<number> {
  try {
    return await seconds(pid, indexes);
  } catch (error) {
    // ESRCH: it ended between the opening of the file and its reading.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return 0;
    throw error;
  }
}

export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** CPU time of some processes, each with its children, between two moments. */
export class CpuMeter {
  readonly #pids: Readonly<Record<string, number>>;
  #before: Readonly<Record<string, number>> = {};

  /** By the name under which they are reported. */
  constructor(pids: Readonly<Record<string, number>>) {
    this.#pids = pids;
  }

  async start(): Promise<void> {
    this.#before = await this.#read();
  }

  /** Microseconds since `start` for each of so many units of work, by name. */
  async microsEach(units: number): Promise<Readonly<Record<string, number>>> {
    const now = await this.#read();
    const each = (name: string): number => (((now[name] ?? 0) - (this.#before[name] ?? 0)) * MICROSECONDS) / units;
    return Object.fromEntries(Object.keys(this.#pids).map((name) => [name, each(name)]));
  }

  async #read(): Promise<Record<string, number>> {
    const read = async ([name, pid]: [string, number]) => [name, await treeCpuSeconds(pid)] as const;
    return Object.fromEntries(await Promise.all(Object.entries(this.#pids).map(read)));
  }
}
