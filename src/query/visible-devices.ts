/**
 * Which devices a caller sees. Every question of the role query is put for these alone, so that a device that is not
 * granted is in no list, total or aggregate, and looks like one that does not exist.
 *
 * A decision stands for some seconds, by caller and by what is granted to it: a new grant counts at once, a device that
 * leaves a granted group is seen a few seconds longer. Deny by default: what cannot be established is a `Problem`.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Caller, Visibility } from '../http/caller.ts';
import type { Answering } from './database.ts';

/** Ids of `devices`, bigint as text. */
export type DeviceFilter =
  | { readonly kind: 'all' }
  | { readonly kind: 'only'; readonly ids: readonly string[] };

/** A device that the caller sees. */
export interface VisibleDevice {
  /** Of `devices`, bigint as text. */
  readonly id: string;
  readonly deviceId: string;
  /** For people. */
  readonly name: string | null;
}

const STANDS_MS = 5_000;
const CALLERS_LIMIT = 1_000;
/** Devices that an authority is asked about at a time. */
const CHUNK = 5_000;

const BY_UNIQUE_ID =
  'select id::text as id, unique_id as "deviceId", name from devices where unique_id = any($1::text[])';

const GRANTED = `
  select d.id::text as id from devices d where d.unique_id = any($1::text[])
  union
  select m.device_id::text from group_devices m
  where m.group_id = any($2::uuid[]) and m.valid_from <= now() and (m.valid_to is null or m.valid_to > now())
  order by id`;

const AFTER = `
  select id::text as id, unique_id as "deviceId", name from devices where id > $1::bigint order by id limit ${CHUNK}`;

/** Shared by all who ask at the moment, so nobody's leaving ends it. */
const FOR_ALL = new AbortController().signal;

function keyOf({ id, visibility }: Caller): string {
  if (visibility.kind !== 'granted') return `${visibility.kind}:${id}`;
  const { devices, groups } = visibility;
  return `granted:${createHash('sha256').update(JSON.stringify([id, devices, groups])).digest('base64')}`;
}

export class VisibleDevices {
  readonly #database: Answering;
  readonly #decisions: LRUCache<string, Promise<DeviceFilter>>;

  constructor(database: Answering) {
    this.#database = database;
    this.#decisions = new LRUCache({ max: CALLERS_LIMIT, ttl: STANDS_MS });
  }

  /** For the SQL of a question. @throws Problem */
  async filter(caller: Caller): Promise<DeviceFilter> {
    if (caller.visibility.kind === 'all') return { kind: 'all' };
    const key = keyOf(caller);
    const known = this.#decisions.get(key);
    if (known !== undefined) return known;
    const decision = this.#decide(caller.visibility);
    this.#decisions.set(key, decision);
    decision.catch(() => this.#decisions.delete(key));
    return decision;
  }

  /** null: there is no such device, or the caller does not see it: the answer is the same. @throws Problem */
  async find(caller: Caller, deviceId: string, signal: AbortSignal): Promise<VisibleDevice | null> {
    const [found] = await this.findAll(caller, [deviceId], signal);
    return found ?? null;
  }

  /** Those of the devices that exist and that the caller sees, in no order. @throws Problem */
  async findAll(caller: Caller, deviceIds: readonly string[], signal: AbortSignal): Promise<VisibleDevice[]> {
    const found = await this.#database.ask<VisibleDevice>(
      { name: 'devices-by-id', text: BY_UNIQUE_ID, values: [deviceIds] }, signal);
    const { visibility } = caller;
    if (visibility.kind === 'all' || found.length === 0) return found;
    if (visibility.kind === 'asked') return await this.#readable(visibility, found);
    const filter = await this.filter(caller);
    const ids = new Set(filter.kind === 'only' ? filter.ids : []);
    return found.filter(({ id }) => ids.has(id));
  }

  async #decide(visibility: Exclude<Visibility, { kind: 'all' }>): Promise<DeviceFilter> {
    if (visibility.kind === 'asked') return { kind: 'only', ids: await this.#askAboutAll(visibility) };
    const { devices, groups } = visibility;
    const rows = await this.#database.ask<{ id: string }>(
      { name: 'visible-devices', text: GRANTED, values: [devices, groups] }, FOR_ALL);
    return { kind: 'only', ids: rows.map(({ id }) => id) };
  }

  async #askAboutAll(visibility: Extract<Visibility, { kind: 'asked' }>): Promise<string[]> {
    const ids: string[] = [];
    for (let after = '0'; ;) {
      const devices = await this.#database.ask<VisibleDevice>(
        { name: 'visible-devices', text: AFTER, values: [after] }, FOR_ALL);
      const readable = await this.#readable(visibility, devices);
      ids.push(...readable.map(({ id }) => id));
      const last = devices.at(-1);
      if (last === undefined || devices.length < CHUNK) return ids;
      after = last.id;
    }
  }

  async #readable(
    visibility: Extract<Visibility, { kind: 'asked' }>,
    devices: readonly VisibleDevice[],
  ): Promise<VisibleDevice[]> {
    if (devices.length === 0) return [];
    const readable = await visibility.readable(devices.map(({ deviceId }) => deviceId));
    return devices.filter(({ deviceId }) => readable.has(deviceId));
  }
}
