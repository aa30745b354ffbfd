/**
 * The alarm that a record was made for: its event I/O id, and the value of that element, as a name that users of
 * trackers know (Traccar's vocabulary). A record whose event is not here has no `alarm`.
 *
 * Source: Teltonika wiki, "FMB120 Teltonika Data Sending Parameters ID", eventual I/O elements.
 */
import type { Attributes } from '../../shared/model.ts';
import { ONE_BYTE_ELEMENTS } from './io-elements.ts';
import { GEOFENCE_ZONE_IDS } from './io-elements/eventual.ts';

/** Value of the event's element → alarm. */
type AlarmByValue = Readonly<Record<number, string>>;

const ZONE: AlarmByValue = { 0: 'geofenceExit', 1: 'geofenceEnter', 3: 'overspeed' };

const ALARMS = new Map<number, AlarmByValue>([
  ...GEOFENCE_ZONE_IDS.map((id) => [id, ZONE] as const),
  [175, { 0: 'geofenceExit', 1: 'geofenceEnter' }],
  [236, { 1: 'general' }],
  [246, { 1: 'tow' }],
  // 1 and 6 the crash itself; 2 to 5 the trace around it, all that an uncalibrated device sends
  [247, { 1: 'accident', 2: 'accident', 3: 'accident', 4: 'accident', 5: 'accident', 6: 'accident' }],
  [249, { 1: 'jamming' }],
  [251, { 1: 'idle' }],
  [252, { 0: 'powerRestored', 1: 'powerCut' }],
  [253, { 1: 'hardAcceleration', 2: 'hardBraking', 3: 'hardCornering' }],
  [318, { 1: 'jamming', 2: 'jamming' }],
  [1412, { 1: 'fallDown' }],
]);

/** Its value is a speed in km/h, at the start and at the end of the overspeeding. */
const OVERSPEEDING_ID = 255;

/** The alarm of a record, from its event I/O id (0: periodic) and its attributes. */
export function alarmOf(eventId: number, attributes: Attributes): string | undefined {
  const name = ONE_BYTE_ELEMENTS[eventId]?.name;
  const value = name === undefined ? undefined : attributes.get(name);
  if (value === undefined) return undefined;
  return eventId === OVERSPEEDING_ID ? 'overspeed' : ALARMS.get(eventId)?.[Number(value)];
}
