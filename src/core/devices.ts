/**
 * The device map: from a tracker's identifier to its id in the database and the time of its newest record. Bounded,
 * least recently used goes first; a miss reads the database, and registers a device that is not there.
 *
 * Errors: those of PostgreSQL, for the caller to retry.
 */
import { LRUCache } from 'lru-cache';
import type { PoolClient } from 'pg';
import { rowsOf } from '../db/rows.ts';
import type { CoreEvents } from './events.ts';

export interface Device {
  readonly id: number;
  /** Time of the newest record known to be stored, epoch milliseconds; null: none. Never newer than the database's. */
  newestTs: number | null;
}

interface DeviceRow {
  readonly id: number;
  readonly unique_id: string;
  readonly newest_ts: number | null;
}

const FIND = `
  select d.id, d.unique_id, s.ts as newest_ts
  from devices d left join device_state s on s.device_id = d.id
  where d.unique_id = any($1)`;

/** In one order of identifiers, so that two processors that register the same devices do not deadlock. */
const REGISTER = `
  insert into devices (unique_id, protocol)
  select unique_id, protocol from unnest($1::text[], $2::text[]) as new (unique_id, protocol) order by unique_id
  on conflict (unique_id) do nothing
  returning unique_id`;

/** Identifiers with the protocol that each speaks. */
export type WantedDevices = ReadonlyMap<string, string>;

export class Devices {
  readonly #known: LRUCache<string, Device>;
  readonly #events: CoreEvents;

  constructor(capacity: number, events: CoreEvents) {
    this.#events = events;
    this.#known = new LRUCache<string, Device>({
      max: capacity,
      dispose: (_device, _uniqueId, reason) => {
        if (reason === 'evict') events.deviceEvicted();
      },
    });
  }

  /** Every wanted device with its id, registered where it was new. */
  async resolve(client: PoolClient, wanted: WantedDevices): Promise<Map<string, Device>> {
    const found = new Map<string, Device>();
    const missing: string[] = [];
    for (const uniqueId of wanted.keys()) {
      const device = this.#known.get(uniqueId);
      if (device === undefined) missing.push(uniqueId);
      else found.set(uniqueId, device);
    }
    if (missing.length === 0) return found;
    await this.#load(client, missing, found);
    const unregistered = missing.filter((uniqueId) => !found.has(uniqueId));
    if (unregistered.length > 0) await this.#register(client, wanted, unregistered, found);
    this.#events.deviceStateSize(this.#known.size);
    return found;
  }

  /** Reads these again next time: the database has refused what was known about them. */
  forget(uniqueIds: Iterable<string>): void {
    for (const uniqueId of uniqueIds) this.#known.delete(uniqueId);
    this.#events.deviceStateSize(this.#known.size);
  }

  async #load(client: PoolClient, uniqueIds: readonly string[], found: Map<string, Device>): Promise<void> {
    const rows = await rowsOf<DeviceRow>(client, { name: 'find-devices', text: FIND, values: [uniqueIds] });
    for (const row of rows) {
      // A writer beside this one may have read it meanwhile, and stored newer records since.
      const device = this.#known.get(row.unique_id) ?? { id: row.id, newestTs: row.newest_ts };
      this.#known.set(row.unique_id, device);
      found.set(row.unique_id, device);
    }
  }

  async #register(
    client: PoolClient,
    wanted: WantedDevices,
    uniqueIds: readonly string[],
    found: Map<string, Device>,
  ): Promise<void> {
    const protocols = uniqueIds.map((uniqueId) => wanted.get(uniqueId));
    const { rows } = await client.query<{ unique_id: string }>(REGISTER, [uniqueIds, protocols]);
    this.#events.devicesRegistered(rows.map((row) => row.unique_id));
    await this.#load(client, uniqueIds, found);
  }
}
