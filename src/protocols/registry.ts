/** Every protocol that ingest and the simulator can speak: one line each. */
import type { Protocol } from './protocol.ts';
import { gt06 } from './gt06/index.ts';
import { teltonika } from './teltonika/index.ts';

const protocols: readonly Protocol[] = [
  teltonika,
  gt06,
];

export const protocolNames: readonly string[] = protocols.map((protocol) => protocol.name);

export function findProtocol(name: string): Protocol | undefined {
  return protocols.find((protocol) => protocol.name === name);
}
