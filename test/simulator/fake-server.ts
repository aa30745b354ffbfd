/** A server without sockets: trackers connect to it through `connect`, and a test says what it answers and when. */
import { teltonika } from '../../src/protocols/teltonika/index.ts';
import type { TelemetryRecord } from '../../src/shared/model.ts';
import type { Connect, Connection, ConnectionEvents } from '../../src/simulator/connection.ts';

/** One connection as the server sees it. */
export interface FakeConnection {
  readonly imei: string;
  readonly events: ConnectionEvents;
  /** What the tracker wrote: the bytes of each `send`. */
  readonly writes: Buffer[];
  /** How many of the writes were a byte at a time. */
  slow: number;
  /** How the tracker ended it. */
  ended: 'cut' | 'drop' | null;
}

export class FakeServer {
  readonly connections: FakeConnection[] = [];

  readonly connect: Connect = (imei, events) => {
    const fake: FakeConnection = { imei, events, writes: [], slow: 0, ended: null };
    this.connections.push(fake);
    const connection: Connection = {
      send(bytes, onWritten) {
        fake.writes.push(bytes);
        onWritten?.();
      },
      sendSlowly(bytes, onWritten) {
        fake.slow += 1;
        fake.writes.push(bytes);
        onWritten();
      },
      cut() {
        fake.ended ??= 'cut';
      },
      drop() {
        fake.ended ??= 'drop';
      },
    };
    return connection;
  };

  get last(): FakeConnection {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error('no tracker has connected');
    return connection;
  }
}

/** The records of a frame; null where the bytes are none. */
export function recordsOf(bytes: Buffer): readonly TelemetryRecord[] | null {
  const [event] = teltonika.createFramer().push(bytes);
  if (event?.kind !== 'frame' || event.bytes.length !== bytes.length) return null;
  const handled = teltonika.handle({ deviceId: '356307042441013' }, event.bytes, Date.now());
  return handled.kind === 'accepted' ? handled.records : null;
}

/** `time/event` of every record of a frame. */
export function keysOf(bytes: Buffer): string[] {
  return (recordsOf(bytes) ?? []).map(({ ts, eventId }) => `${ts}/${eventId}`);
}
