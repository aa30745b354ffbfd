/** Every fault, in the order of the table. */
import type { Fault } from './fault.ts';
import { clockFaults } from './faults/clock.ts';
import { httpFaults } from './faults/http.ts';
import { networkFaults } from './faults/network.ts';
import { postgresFaults } from './faults/postgres.ts';
import { processFaults } from './faults/processes.ts';
import { redisFaults } from './faults/redis.ts';

export const FAULTS: readonly Fault[] = [
  ...processFaults, ...redisFaults, ...postgresFaults, ...httpFaults, ...networkFaults, ...clockFaults,
];
