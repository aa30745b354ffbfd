/**
 * GT06, the protocol of Concox (Jimi IoT) and of the many makers that copied it. A frame is acknowledged by its
 * protocol number and serial number; one whose CRC differs is not, and the device sends it again.
 *
 * What the devices do and which documents say so: README.md beside this file.
 */
import type { Accepted, Framer, Handled, Protocol, Refused } from '../protocol.ts';
import type { ReasonCode } from '../../shared/reasons.ts';
import { acknowledge, answerTo, answerToUnknown } from './answers.ts';
import { decodeMessage, decodeWifi, rejectUnknown } from './decode.ts';
import type { Decoded } from './decode.ts';
import { buildWifiAnswer, MAX_FRAME_BYTES, parseFrame } from './frame.ts';
import type { Message } from './frame.ts';
import { Gt06Framer } from './framing.ts';
import { NOT_LOGGED_IN, readLogin } from './login.ts';
import type { Gt06Session } from './login.ts';
import { LOGIN, messageType } from './messages.ts';

export const gt06: Protocol<Gt06Session> = {
  name: 'gt06',
  maxFrameBytes: MAX_FRAME_BYTES,
  createFramer: (maxFrameBytes = MAX_FRAME_BYTES): Framer => new Gt06Framer(Math.min(maxFrameBytes, MAX_FRAME_BYTES)),
  open: () => NOT_LOGGED_IN,
  handle,
};

function handle(session: Gt06Session, frame: Buffer, receivedAt: number): Handled<Gt06Session> {
  const parts = parseFrame(frame);
  if (parts.kind === 'invalid') return refuse(session, parts.code, parts.field, parts.message, parts.isFatal);
  if (parts.kind === 'message' && parts.type === LOGIN) return logIn(session, parts);
  if (session.deviceId === null) {
    return refuse(session, 'not_logged_in', 'protocolNumber', 'a packet other than the login came first', true);
  }
  if (parts.kind === 'wifi') {
    return accept(session, decodeWifi(parts, receivedAt, frame), buildWifiAnswer(parts));
  }
  const type = messageType(parts.type, parts.isExtended);
  if (type === undefined) return accept(session, rejectUnknown(parts, frame), answerToUnknown(parts));
  const decoded = decodeMessage(parts, type, session.zoneOffsetMs, receivedAt, frame);
  return accept(session, decoded, answerTo(parts, type.answer, receivedAt));
}

function logIn(session: Gt06Session, message: Message): Handled<Gt06Session> {
  const opened = readLogin(message.content);
  if (opened === null) {
    const id = message.content.toString('hex', 0, 8);
    return refuse(session, 'invalid_imei', 'terminalId', `${id} is not an IMEI in BCD`, true);
  }
  return accept(opened, { records: [], rejected: [] }, acknowledge(message, false));
}

function accept(session: Gt06Session, decoded: Decoded, reply: Buffer | null): Accepted<Gt06Session> {
  // The protocol has no answer that turns a device away: the connection is closed without one.
  return { kind: 'accepted', session, ...decoded, reply, denial: null };
}

function refuse(
  session: Gt06Session, code: ReasonCode, field: string, message: string, close: boolean,
): Refused<Gt06Session> {
  return { kind: 'refused', session, code, field, message, close, replyWhenDeadLettered: null };
}
