/**
 * What the server says to each packet.
 *
 * Sources: Concox, "GPS Tracker Communication Protocol" (JM-VL03 V1.1.2): server response, time calibration (8A),
 * address (97).
 */
import { buildFrame } from './frame.ts';
import type { Message } from './frame.ts';
import { phoneOfAddressRequest } from './location.ts';
import type { Answer } from './messages.ts';

const TIME = 0x8a;
const ADDRESS = 0x97;
const SERVER_FLAG_BYTES = 4;

/** Commands that come back from old devices are not answered, or both sides would go on forever. */
const ECHOED_COMMANDS: ReadonlySet<number> = new Set([0x80, 0x81, 0x82]);

/** `receivedAt` (epoch milliseconds) is the time that a time request is answered with. Null: no answer. */
export function answerTo(message: Message, answer: Answer, receivedAt: number): Buffer | null {
  switch (answer) {
    case 'standard': return acknowledge(message, false);
    case 'extended': return acknowledge(message, true);
    case 'time': return buildFrame(TIME, dateTimeBytes(receivedAt), message.serial);
    case 'address': return buildFrame(ADDRESS, addressContent(message.content), message.serial, true);
    case 'none': return null;
  }
}

/** Packets of unknown number are acknowledged too, except behind 7979. */
export function answerToUnknown(message: Message): Buffer | null {
  return message.isExtended || ECHOED_COMMANDS.has(message.type) ? null : acknowledge(message, false);
}

/** Protocol number and serial number, without content. */
export function acknowledge(message: Message, isExtended: boolean): Buffer {
  return buildFrame(message.type, Buffer.alloc(0), message.serial, isExtended);
}

/** Year since 2000, month, day, hour, minute, second in UTC, one byte each. */
export function dateTimeBytes(ts: number): Buffer {
  const date = new Date(ts);
  return Buffer.from([
    date.getUTCFullYear() - 2000, date.getUTCMonth() + 1, date.getUTCDate(),
    date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(),
  ]);
}

/**
 * Length (1) of what follows, server flag (4), `ADDRESS&&`, address, `&&`, phone number (21), `##`. Addresses are not
 * looked up here: `NA`, as devices expect where there is none.
 */
function addressContent(request: Buffer): Buffer {
  const text = Buffer.concat([
    Buffer.from('ADDRESS&&NA&&', 'latin1'), phoneOfAddressRequest(request), Buffer.from('##', 'latin1'),
  ]);
  return Buffer.concat([Buffer.from([SERVER_FLAG_BYTES + text.length]), Buffer.alloc(SERVER_FLAG_BYTES), text]);
}
