/**
 * Why a record that was posted over HTTP is not kept: a closed set, the `reason` of an item of `errors` and the label
 * of the counter. Such a record goes back to its sender, who can mend it, and not to the dead letters.
 * `docs/errors.md` is written from this table.
 */
const table = {
  malformed_json: 'The line of an NDJSON stream is not JSON, or not UTF-8.',
  bad_field: 'A field is missing, unknown, or has a value that it cannot have: `field` says which, `message` what is expected.',
  record_too_large: 'The record is longer than INGEST_HTTP_MAX_RECORD_BYTES, or has too many attributes.',
  clock_ahead: 'The time of the record is more than INGEST_HTTP_MAX_FUTURE_MS ahead of the clock of the server.',
  clock_behind: 'The time of the record is more than INGEST_HTTP_MAX_PAST_MS ago. Whoever has the scope `admin` may write older ones.',
  forbidden: 'The API key may not write for this device.',
  unknown_device: 'INGEST_UNKNOWN_DEVICES=reject and the device is not in the table devices.',
  device_disabled: 'The device is in the table devices and not enabled.',
  device_list_unavailable: 'INGEST_UNKNOWN_DEVICES=reject and no list of devices was ever read. Send it again later.',
  registration_limited: 'More new devices than INGEST_NEW_DEVICES_PER_MINUTE allows. Send it again later.',
} as const satisfies Record<string, string>;

export type RecordReason = keyof typeof table;

export const RECORD_REASONS: Readonly<Record<RecordReason, string>> = table;

export const RECORD_REASON_CODES = Object.keys(table) as [RecordReason, ...RecordReason[]];

/** Those that may be over by themselves: the same record can be accepted later. */
export const PASSING_REASONS: ReadonlySet<string> = new Set<RecordReason>(['device_list_unavailable', 'registration_limited']);
