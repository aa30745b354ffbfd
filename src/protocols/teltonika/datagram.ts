/**
 * The UDP form: one datagram names its device, carries the same data as a TCP frame, without a CRC, and is answered by
 * one datagram. Refusals are values; nothing throws on any bytes.
 *
 * Source: Teltonika wiki, "Teltonika Data Sending Protocols", codec 8 protocol sending over UDP.
 */
import { ByteReader } from '../../shared/byte-reader.ts';
import { TruncatedError } from '../../shared/errors.ts';
import type { ReasonCode } from '../../shared/reasons.ts';
import type { Handled, HandledDatagram } from '../protocol.ts';
import { decodeData } from './decode.ts';
import { accept, isImei, refuse, refuseCounts } from './session.ts';

/** Codec ID, number of data 1, number of data 2. */
const MIN_DATA_BYTES = 3;

interface Channel {
  readonly packetId: number;
  readonly avlPacketId: number;
  readonly imei: string;
  readonly dataOffset: number;
}

/** Handles one datagram; `receivedAt` in epoch milliseconds. */
export function handleTeltonikaDatagram(datagram: Buffer, receivedAt: number): HandledDatagram {
  const channel = readChannel(datagram);
  if (channel === null) return refuseDatagram('length_out_of_range', 'length', 'not a datagram of Teltonika');
  if (!isImei(channel.imei)) {
    return refuseDatagram('invalid_imei', 'imei', `${JSON.stringify(channel.imei.slice(0, 40))} is no IMEI`);
  }
  return { deviceId: channel.imei, handled: handleData(datagram, channel, receivedAt) };
}

function handleData(datagram: Buffer, channel: Channel, receivedAt: number): Handled {
  const session = { deviceId: channel.imei };
  const data = decodeData(datagram, channel.dataOffset, datagram.length, receivedAt);
  const reply = data.isAcknowledged ? acknowledgement(channel, data.count) : null;
  if (!data.countsMatch) return { ...refuseCounts(session), replyWhenDeadLettered: reply };
  return { ...accept(session), records: data.records, rejected: data.rejected, reply };
}

// UDP channel header: length (2: of all that follows) | packet ID (2) | not usable byte (1)
// AVL packet header: AVL packet ID (1) | IMEI length (2) | IMEI (ASCII), then the data
function readChannel(datagram: Buffer): Channel | null {
  const reader = new ByteReader(datagram);
  try {
    const length = reader.u16();
    if (length !== reader.remaining) return null;
    const packetId = reader.u16();
    reader.skip(1);
    const avlPacketId = reader.u8();
    const imei = reader.take(reader.u16()).toString('latin1');
    return reader.remaining < MIN_DATA_BYTES ? null : { packetId, avlPacketId, imei, dataOffset: reader.offset };
  } catch (error) {
    if (error instanceof TruncatedError) return null;
    throw error;
  }
}

// Length (2) 0005 | packet ID (2) | not usable byte (1) 01 | AVL packet ID (1) | number of accepted data (1)
function acknowledgement({ packetId, avlPacketId }: Channel, count: number): Buffer {
  const reply = Buffer.from([0, 5, 0, 0, 1, avlPacketId, count]);
  reply.writeUInt16BE(packetId, 2);
  return reply;
}

function refuseDatagram(code: ReasonCode, field: string, message: string): HandledDatagram {
  return { deviceId: null, handled: refuse({ deviceId: null }, code, field, message, false) };
}
