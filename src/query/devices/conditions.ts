/** Conditions on devices that several questions share. `d` is the row of `devices`. */
import type { StatementValues } from '../statement-values.ts';
import type { DeviceFilter } from '../visible-devices.ts';

/** Only what the caller sees. */
export function isVisible(filter: DeviceFilter, values: StatementValues): string[] {
  return filter.kind === 'all' ? [] : [`d.id = any(${values.bind(filter.ids, 'bigint[]')})`];
}

/** Members of the group at this moment. */
export function isInGroup(groupId: string, values: StatementValues): string {
  return `exists (
    select from group_devices m
    where m.group_id = ${values.bind(groupId, 'uuid')} and m.device_id = d.id
      and m.valid_from <= now() and (m.valid_to is null or m.valid_to > now()))`;
}

/** Contains the text, whatever the case. */
export function contains(text: string, values: StatementValues): string {
  const pattern = values.bind(`%${text.replace(/[\\%_]/g, '\\$&')}%`, 'text');
  return `(d.unique_id ilike ${pattern} or d.name ilike ${pattern})`;
}

export function whereOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
}
