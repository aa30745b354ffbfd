/** A stream entry on its way through the processor. */
import type { DeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import { encodeEntryPayload } from '../shared/contracts/dead-letter-stream.ts';
import type { StoredRecord } from '../shared/contracts/record-fields.ts';
import type { TelemetryEntry } from '../shared/contracts/telemetry-stream.ts';
import { decodeEntry, fieldMap } from '../shared/contracts/telemetry-stream.ts';
import { CodecError, errorMessage } from '../shared/errors.ts';

/** As Redis delivers it; null fields: the entry was deleted from the stream and is pending all the same. */
export interface DeliveredEntry {
  readonly stream: string;
  readonly id: string;
  readonly fields: readonly Buffer[] | null;
  /** How often it was delivered, this time included. */
  readonly deliveries: number;
}

/** Decoded: what is to be stored, and what cannot be. */
export interface ProcessorEntry {
  readonly stream: string;
  readonly id: string;
  readonly deviceId: string;
  readonly protocol: string;
  readonly receivedAt: number;
  readonly records: readonly StoredRecord[];
  readonly deadLetters: readonly DeadLetter[];
  /** Written in a transaction of its own, since it has failed to complete before. */
  readonly alone: boolean;
}

export function originOf(entry: Pick<ProcessorEntry, 'stream' | 'id'>): string {
  return `${entry.stream}/${entry.id}`;
}

/** Why an entry, or a record of one, is a dead letter before it comes to the database. */
export const ENTRY_REASONS = ['malformed_entry', 'max_deliveries', 'internal_error'] as const;

/** The whole entry as one dead letter. */
export function entryLetter(
  delivered: Pick<DeliveredEntry, 'stream' | 'id'> & { readonly fields: readonly Buffer[] },
  reason: (typeof ENTRY_REASONS)[number],
  error: Pick<CodecError, 'field' | 'message'>,
): DeadLetter {
  const fields = fieldMap(delivered.fields);
  return {
    reason,
    message: error.message,
    field: error.field,
    deviceId: fields.get('device')?.toString() ?? null,
    protocol: fields.get('protocol')?.toString() ?? null,
    at: Date.now(),
    raw: null,
    session: null,
    payload: encodeEntryPayload(delivered.fields),
    origin: originOf(delivered),
  };
}

/** An entry that holds nothing to store, only dead letters (or, deleted from the stream, nothing at all). */
export function entryWithout(delivered: DeliveredEntry, deadLetters: readonly DeadLetter[]): ProcessorEntry {
  const { stream, id } = delivered;
  return { stream, id, deviceId: '', protocol: '', receivedAt: 0, records: [], deadLetters, alone: false };
}

/** Sorts the records of an entry into those that can be stored and dead letters for those that cannot. */
function sortRecords(delivered: DeliveredEntry, entry: TelemetryEntry): Pick<ProcessorEntry, 'records' | 'deadLetters'> {
  const records: StoredRecord[] = [];
  const deadLetters: DeadLetter[] = [];
  const { deviceId, protocol, receivedAt: at } = entry;
  const origin = originOf(delivered);
  const common = { reason: 'malformed_entry', deviceId, protocol, at, raw: null, session: null, origin } as const;
  for (const result of entry.records) {
    if (result.ok) records.push(result.record);
    else {
      const { field, message } = result.error;
      deadLetters.push({ ...common, field, message, payload: result.text.toString() });
    }
  }
  return { records, deadLetters };
}

/** Decodes an entry; what is not as the contract says becomes dead letters. Never throws, whatever the entry holds. */
export function decodeDelivered(delivered: DeliveredEntry, alone: boolean): ProcessorEntry {
  const { stream, id, fields } = delivered;
  if (fields === null) return entryWithout(delivered, []);
  try {
    const entry = decodeEntry(fields);
    const { deviceId, protocol, receivedAt } = entry;
    return { stream, id, deviceId, protocol, receivedAt, alone, ...sortRecords(delivered, entry) };
  } catch (error) {
    const letter = error instanceof CodecError
      ? entryLetter({ stream, id, fields }, 'malformed_entry', error)
      : entryLetter({ stream, id, fields }, 'internal_error', { field: '', message: errorMessage(error) });
    return entryWithout(delivered, [letter]);
  }
}
