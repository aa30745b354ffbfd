/**
 * One connection of a tracker: login, pings and data frames, each with the answer that the vendor documents. Refusals
 * are values; nothing throws on any bytes.
 *
 * Source: Teltonika wiki, "Teltonika Data Sending Protocols", communication with server.
 */
import type { ReasonCode } from '../../shared/reasons.ts';
import type { Accepted, Handled, Refused, Session } from '../protocol.ts';
import { crc16Ibm } from './crc16.ts';
import { decodeData } from './decode.ts';

/** An IMEI has 15 digits; 14 without its check digit, 16 as IMEISV. */
const IMEI = /^\d{14,16}$/;

const PING = 0xff;
const LOGIN_ACCEPTED = Buffer.from([1]);
const LOGIN_DENIED = Buffer.from([0]);

/** Preamble (4) and data field length (4) before the data, CRC-16 (4) behind it. */
const DATA_OFFSET = 8;
const CRC_BYTES = 4;
const MIN_DATA_FRAME_BYTES = DATA_OFFSET + 3 + CRC_BYTES;

export function isImei(text: string): boolean {
  return IMEI.test(text);
}

/** Handles one frame as the framer cuts it; `receivedAt` in epoch milliseconds. */
export function handleFrame(session: Session, frame: Buffer, receivedAt: number): Handled {
  if (frame.length === 1 && frame[0] === PING) return accept(session);
  if (frame.length >= 2 && frame.readUInt16BE(0) > 0) return handleLogin(session, frame);
  return handleData(session, frame, receivedAt);
}

// Length of the IMEI (2) | IMEI (ASCII)
// Answer: 01 accepted, 00 not.
function handleLogin(session: Session, frame: Buffer): Handled {
  const imei = frame.toString('latin1', 2);
  if (frame.readUInt16BE(0) !== frame.length - 2 || !isImei(imei)) {
    return refuse(session, 'invalid_imei', 'imei', `${JSON.stringify(imei)} is no IMEI`, true);
  }
  return { ...accept({ deviceId: imei }), reply: LOGIN_ACCEPTED, denial: LOGIN_DENIED };
}

// Preamble 00000000 | data field length (4) | data (codec ID … number of data 2) | CRC-16 (4)
// Answer to AVL data: number of records (4). Messages take none.
function handleData(session: Session, frame: Buffer, receivedAt: number): Handled {
  if (session.deviceId === null) return refuse(session, 'not_logged_in', 'imei', 'data came before the login', true);
  const end = frame.length - CRC_BYTES;
  if (frame.length < MIN_DATA_FRAME_BYTES || frame.readUInt32BE(4) !== end - DATA_OFFSET) {
    return refuse(session, 'length_out_of_range', 'dataLength', `not a data frame of ${frame.length} bytes`, true);
  }
  const computed = crc16Ibm(frame, DATA_OFFSET, end);
  const carried = frame.readUInt32BE(end);
  if (computed !== carried) {
    return refuse(session, 'checksum_mismatch', 'crc', `carries ${carried}, computed ${computed}`, false);
  }
  const data = decodeData(frame, DATA_OFFSET, end, receivedAt);
  const reply = data.isAcknowledged ? acknowledgement(data.count) : null;
  if (!data.countsMatch) return { ...refuseCounts(session), replyWhenDeadLettered: reply };
  const { records, rejected } = data;
  return { kind: 'accepted', session, records, rejected, reply, denial: null };
}

/** The answer for each number of records, which is a byte of the frame. Nobody writes to a reply. */
const ACKNOWLEDGEMENTS = Array.from({ length: 256 }, (_, count) => Buffer.from([0, 0, 0, count]));

function acknowledgement(count: number): Buffer | null {
  return ACKNOWLEDGEMENTS[count] ?? null;
}

/** A frame that is taken, brings nothing and is not answered: a ping; the rest of what is accepted adds to it. */
export function accept(session: Session): Accepted {
  return { kind: 'accepted', session, records: [], rejected: [], reply: null, denial: null };
}

export function refuse(
  session: Session, code: ReasonCode, field: string, message: string, close: boolean,
): Refused {
  return { kind: 'refused', session, code, field, message, close, replyWhenDeadLettered: null };
}

/** Number of data 1 and 2 differ although nothing says that the bytes are damaged. */
export function refuseCounts(session: Session): Refused {
  return refuse(session, 'count_mismatch', 'numberOfData2', 'number of data 1 and number of data 2 differ', false);
}
