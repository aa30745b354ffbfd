/**
 * Why something a tracker sent was not stored as a record: a closed set, used as metric label, in logs and on dead
 * letters. `docs/errors.md` is generated from this table.
 *
 * Outcome: `skip` the bytes are passed over and not acknowledged; `refuse` the frame is not acknowledged; `dead_letter`
 * kept on the dead-letter stream and acknowledged; `close` the connection ends.
 */
interface Reason {
  readonly outcome: 'skip' | 'refuse' | 'dead_letter' | 'close';
  readonly meaning: string;
}

const table = {
  // Framing: what is on the wire is not the protocol.
  bad_preamble: { outcome: 'close', meaning: 'The bytes do not begin as the protocol begins a frame: garbage, another protocol, or a stream out of step.' },
  length_out_of_range: { outcome: 'close', meaning: 'The length field is below the shortest or above the longest frame of the protocol.' },
  frame_too_long: { outcome: 'close', meaning: 'No end of frame within the largest frame that the protocol or INGEST_MAX_FRAME_BYTES allows.' },
  missing_delimiter: { outcome: 'close', meaning: 'The frame does not end with the delimiter of the protocol.' },
  // Integrity: not acknowledged, the tracker sends it again.
  checksum_mismatch: { outcome: 'refuse', meaning: 'The checksum over the frame differs from the one it carries.' },
  count_mismatch: { outcome: 'refuse', meaning: 'The two record counts of a frame differ. Not acknowledged; the same frame sent again INGEST_POISON_ATTEMPTS times is dead-lettered and acknowledged.' },
  unexpected_message: { outcome: 'refuse', meaning: 'A message that this protocol does not send at this point, or not to a server.' },
  // Login.
  invalid_imei: { outcome: 'close', meaning: 'The identifier of the login is not one (an IMEI is 14 to 16 digits).' },
  not_logged_in: { outcome: 'close', meaning: 'Data came before the login.' },
  unknown_device: { outcome: 'close', meaning: 'INGEST_UNKNOWN_DEVICES=reject and the device is not in the table devices.' },
  device_disabled: { outcome: 'close', meaning: 'The device is in the table devices and not enabled.' },
  device_list_unavailable: { outcome: 'close', meaning: 'INGEST_UNKNOWN_DEVICES=reject and no list of devices was ever read.' },
  registration_limited: { outcome: 'close', meaning: 'More devices that are not in the table devices have logged in than INGEST_NEW_DEVICES_PER_MINUTE allows. The tracker comes again.' },
  // Decoding: kept with its raw bytes.
  unknown_codec: { outcome: 'dead_letter', meaning: 'The checksum holds, but the codec or message type is not known to this version.' },
  truncated: { outcome: 'dead_letter', meaning: 'The checksum holds, but a field reaches past the end of the frame.' },
  trailing_bytes: { outcome: 'dead_letter', meaning: 'The checksum holds, but bytes are left after the last field.' },
  bad_field: { outcome: 'dead_letter', meaning: 'A field has a value that it cannot have, such as a latitude of 214 degrees.' },
  clock_ahead: { outcome: 'dead_letter', meaning: "The record's time is more than MAX_FUTURE_MS ahead of the server's clock." },
  clock_behind: { outcome: 'dead_letter', meaning: "The record's time is more than MAX_PAST_MS ago, as where a tracker's clock was never set." },
  internal_error: { outcome: 'dead_letter', meaning: 'The decoder threw: a bug of ours. The frame is kept for replay.' },
  // Connection.
  too_many_connections: { outcome: 'close', meaning: 'INGEST_MAX_CONNECTIONS or INGEST_MAX_CONNECTIONS_PER_ADDRESS is reached.' },
  tls_handshake_failed: { outcome: 'close', meaning: 'The TLS handshake of a +tls listener failed: no TLS client, or one that does not trust the certificate.' },
  overloaded: { outcome: 'skip', meaning: 'The stream did not keep up: a datagram came and was not acknowledged, or a connection waited longer than INGEST_LOGIN_TIMEOUT_MS to be read and was closed. The tracker comes again.' },
  login_timeout: { outcome: 'close', meaning: 'No login within INGEST_LOGIN_TIMEOUT_MS.' },
  frame_timeout: { outcome: 'close', meaning: 'A frame was begun and not finished within INGEST_FRAME_TIMEOUT_MS.' },
  idle_timeout: { outcome: 'close', meaning: 'No byte within INGEST_IDLE_TIMEOUT_MS.' },
  superseded: { outcome: 'close', meaning: 'The same device logged in on a newer connection.' },
  // Processor.
  malformed_entry: { outcome: 'dead_letter', meaning: 'A stream entry is not what the contract says.' },
  database_refused: { outcome: 'dead_letter', meaning: 'PostgreSQL refuses this record for its content.' },
  max_deliveries: { outcome: 'dead_letter', meaning: 'The entry was delivered MAX_DELIVERIES times and never completed.' },
} as const satisfies Record<string, Reason>;

export type ReasonCode = keyof typeof table;

export const REASONS: Readonly<Record<ReasonCode, Reason>> = table;

export const REASON_CODES = Object.keys(table) as readonly ReasonCode[];

/** What a dead letter may be for: also a frame that is refused, once it has come often enough (`poison-frames.ts`). */
export const DEAD_LETTER_REASONS = REASON_CODES.filter(
  (code) => REASONS[code].outcome === 'dead_letter' || code === 'count_mismatch',
);
