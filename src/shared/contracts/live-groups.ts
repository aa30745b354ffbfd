/**
 * The consumer groups of live servers: one for each process on every telemetry stream, made when it starts and removed
 * when it stops. A lease says that the process lives; a group whose lease has run out is removed by any other process.
 */

/** @param instance of one process alone: two on one group would each see a part of the feed */
export function liveGroup(prefix: string, instance: string): string {
  return `${prefix}:${instance}`;
}

export function isLiveGroup(prefix: string, group: string): boolean {
  return group.startsWith(`${prefix}:`);
}

/** Key that exists while the process of the group lives. */
export function liveLeaseKey(group: string): string {
  return `${group}:lease`;
}
