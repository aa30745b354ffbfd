/** A stream entry on its way through the processor. */
import type { DeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import type { StoredRecord } from '../shared/contracts/stored-record.ts';
import { decodeEntry, fieldMap } from '../shared/contracts/telemetry-stream.ts';
import { CodecError } from '../shared/errors.ts';

/** As Redis delivers it; null fields: the entry was deleted from the stream and is pending all the same. */
export interface DeliveredEntry {
  readonly stream: string;
  readonly id: string;
  readonly fields: readonly Buffer[] | null;
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

/** All of an entry's fields as JSON, for a dead letter: bytes that are no UTF-8 are kept as base64. */
function payloadOf(fields: readonly Buffer[]): string {
  const text = (value: Buffer): unknown => {
    const decoded = value.toString('utf8');
    return Buffer.from(decoded, 'utf8').equals(value) ? decoded : { __buffer_b64: value.toString('base64') };
  };
  return JSON.stringify(Object.fromEntries([...fieldMap(fields)].map(([name, value]) => [name, text(value)])));
}

/** The whole entry as one dead letter. */
export function entryLetter(
  delivered: DeliveredEntry & { readonly fields: readonly Buffer[] },
  reason: 'malformed_entry' | 'max_deliveries',
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
    payload: payloadOf(delivered.fields),
    origin: originOf(delivered),
  };
}

/** An entry that holds nothing to store, only dead letters (or, deleted from the stream, nothing at all). */
export function entryWithout(delivered: DeliveredEntry, deadLetters: readonly DeadLetter[]): ProcessorEntry {
  const { stream, id } = delivered;
  return { stream, id, deviceId: '', protocol: '', receivedAt: 0, records: [], deadLetters, alone: false };
}

/** Decodes an entry; what is not as the contract says becomes dead letters. Never throws for what the entry holds. */
export function decodeDelivered(delivered: DeliveredEntry, alone: boolean): ProcessorEntry {
  const { stream, id, fields } = delivered;
  if (fields === null) return entryWithout(delivered, []);
  try {
    const entry = decodeEntry(fields);
    const records: StoredRecord[] = [];
    const deadLetters: DeadLetter[] = [];
    const { deviceId, protocol, receivedAt } = entry;
    for (const result of entry.records) {
      if (result.ok) records.push(result.record);
      else {
        const { field, message } = result.error;
        const payload = result.text.toString();
        const origin = originOf(delivered);
        deadLetters.push({ reason: 'malformed_entry', message, field, deviceId, protocol, at: Date.now(), raw: null, payload, origin });
      }
    }
    return { stream, id, deviceId, protocol, receivedAt, records, deadLetters, alone };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return entryWithout(delivered, [entryLetter({ stream, id, fields }, 'malformed_entry', error)]);
  }
}
