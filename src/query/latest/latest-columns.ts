/** The newest state of a device as columns: its newest record at its last known place, as the live feed shows it. */
import type { Column } from '../formats/columns.ts';
import { POSITION_FIELDS, fieldColumns } from '../formats/columns.ts';
import { columnsOf } from '../formats/chosen-fields.ts';
import type { StatementValues } from '../statement-values.ts';

/** Of `devices d` and `device_state s`. @param fields undefined: all of them */
export function latestColumns(fields: readonly string[] | undefined, values: StatementValues): Column[] {
  const known = fieldColumns({ deviceId: 'd.unique_id', record: 's', place: 's' });
  const fixTs: Column = { name: 'fixTs', kind: 'time', sql: 's.fix_ts' };
  return [...columnsOf(fields ?? POSITION_FIELDS, known, 's.attributes', values), fixTs];
}
