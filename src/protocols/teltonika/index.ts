/**
 * Teltonika trackers over TCP and UDP: codecs 7, 8, 8 Extended and 16 (AVL data), 12 to 15 (messages).
 * See the README of this folder.
 */
import type { Protocol } from '../protocol.ts';
import { handleTeltonikaDatagram } from './datagram.ts';
import { MAX_FRAME_BYTES, createTeltonikaFramer } from './framing.ts';
import { handleFrame } from './session.ts';

export const teltonika: Protocol = {
  name: 'teltonika',
  maxFrameBytes: MAX_FRAME_BYTES,
  createFramer: createTeltonikaFramer,
  open: () => ({ deviceId: null }),
  handle: handleFrame,
  handleDatagram: handleTeltonikaDatagram,
};
