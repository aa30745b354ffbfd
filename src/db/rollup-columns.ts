/** The columns of minute_rollups and hour_rollups (`migrations/0011-rollups.sql`); a test holds them against the tables. */

const FIELDS = ['speed', 'altitude', 'hdop', 'satellites'];
const PARTS = ['count', 'sum', 'min', 'max', 'first', 'last'];

/** All but the key, `device_id` and `bucket`. */
export const ROLLUP_VALUES: readonly string[] = [
  'records',
  ...FIELDS.flatMap((field) => PARTS.map((part) => `${field}_${part}`)),
  'latitude_first', 'longitude_first', 'latitude_last', 'longitude_last', 'attributes',
];
