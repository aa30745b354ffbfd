/**
 * Eventual I/O elements of the FMB, FMC and FMM families: scenarios and geofences. `alarms.ts` says which of them
 * raise an alarm.
 * Source: Teltonika wiki, "FMB120 Teltonika Data Sending Parameters ID", eventual I/O elements.
 */
import { flag, unsigned, variable } from './element.ts';
import type { IoElement } from './element.ts';

/** Geofence zones 1 to 50, in order: the ids are not consecutive. */
export const GEOFENCE_ZONE_IDS: readonly number[] = [
  155, 156, 157, 158, 159, 61, 62, 63, 64, 65,
  70, 88, 91, 92, 93, 94, 95, 96, 97, 98,
  99, 153, 154, 190, 191, 192, 193, 194, 195, 196,
  197, 198, 208, 209, 216, 217, 218, 219, 220, 221,
  222, 223, 224, 225, 226, 227, 228, 229, 230, 231,
];

export const EVENTUAL_ELEMENTS: readonly IoElement[] = [
  ...GEOFENCE_ZONE_IDS.map((id, index) => unsigned(id, 1, `geofenceZone${index + 1}`)),
  unsigned(175, 1, 'autoGeofence'),
  unsigned(236, 1, 'alarmInput'),
  unsigned(243, 2, 'greenDrivingDuration', 'ms'),
  flag(246, 'towing'),
  unsigned(247, 1, 'crashDetection'),
  unsigned(248, 1, 'immobilizer'),
  flag(249, 'jamming'),
  unsigned(250, 1, 'trip'),
  flag(251, 'idling'),
  flag(252, 'unplugged'),
  unsigned(253, 1, 'greenDrivingType'),
  // g for acceleration and braking; for cornering rad/s from GNSS or g from the accelerometer
  unsigned(254, 1, 'greenDrivingValue', 'g or rad/s', 0.01),
  unsigned(255, 1, 'overSpeeding', 'km/h'),
  variable(257, 'crashTrace', 'bytes'),
  unsigned(260, 2, 'ecoDuration', 'ms'),
  unsigned(283, 1, 'drivingState'),
  unsigned(284, 2, 'drivingRecords'),
  unsigned(317, 1, 'crashCounter'),
  unsigned(318, 1, 'gnssJamming'),
  flag(1412, 'fallDetection'),
];
