/** Memory is bounded, whatever waits for whom. */
import type { Check } from './check.ts';

const MIB = 1024 * 1024;
const MOST_BYTES = 512 * MIB;

export const memory: Check = ({ world }) => [...world.watch.peakBytes].flatMap(([program, bytes]) =>
  bytes > MOST_BYTES ? [`${program.name} took ${Math.round(bytes / MIB)} MiB of memory`] : []);
