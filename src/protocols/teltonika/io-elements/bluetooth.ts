/**
 * Bluetooth elements of the FMB, FMC and FMM families: sensors in four slots, EYE sensors and beacon lists.
 * Source: Teltonika wiki, "FMB120 Teltonika Data Sending Parameters ID" (Bluetooth Low Energy), "EYE SENSOR / BTSMP1",
 * "EYE BEACON / BTSID1".
 */
import { flag, identifier, signed, unsigned, variable, within } from './element.ts';
import type { IoElement } from './element.ts';

/** The same element of slots 1 to 4. */
function slots(ids: readonly [number, number, number, number], make: (id: number, slot: number) => IoElement):
readonly IoElement[] {
  return ids.map((id, index) => make(id, index + 1));
}

function fourFrom(firstId: number, make: (id: number, slot: number) => IoElement): readonly IoElement[] {
  return slots([firstId, firstId + 1, firstId + 2, firstId + 3], make);
}

const LISTS: readonly IoElement[] = [
  variable(385, 'beacons', 'beacons'),
  variable(548, 'advancedBeacons', 'tags'),
  variable(10828, 'proximityNear', 'tags'),
  variable(10829, 'proximityAway', 'tags'),
  variable(10830, 'proximityFarAway', 'tags'),
  variable(10831, 'proximityLost', 'tags'),
  variable(11317, 'eyeSensors', 'tags'),
];

/** From 32733 on: sensor not found, or its data could not be read. */
const SLOT_SENSORS: readonly IoElement[] = [
  ...fourFrom(25, (id, slot) => within(-4000, 12500, signed(id, 2, `bleTemp${slot}`, '°C', 0.01))),
  ...slots([29, 20, 22, 23], (id, slot) => unsigned(id, 1, `bleBattery${slot}`, '%')),
  ...slots([86, 104, 106, 108], (id, slot) => within(0, 1000, unsigned(id, 2, `bleHumidity${slot}`, '%', 0.1))),
  ...slots([270, 273, 276, 279], (id, slot) => unsigned(id, 2, `bleFuelLevel${slot}`)),
  ...fourFrom(306, (id, slot) => unsigned(id, 4, `bleFuelFrequency${slot}`)),
  ...fourFrom(335, (id, slot) => unsigned(id, 2, `bleLuminosity${slot}`, 'lx')),
  ...fourFrom(331, (id, slot) => variable(id, `ble${slot}Custom1`, 'bytes')),
  ...fourFrom(463, (id, index) => unsigned(id, 4, `ble1Custom${index + 1}`)),
  ...fourFrom(467, (id, index) => unsigned(id, 4, `ble2Custom${index + 1}`)),
  ...fourFrom(471, (id, index) => unsigned(id, 4, `ble3Custom${index + 1}`)),
  ...fourFrom(475, (id, index) => unsigned(id, 4, `ble4Custom${index + 1}`)),
  ...fourFrom(451, (id, slot) => identifier(id, `bleRfid${slot}`)),
  ...fourFrom(455, (id, slot) => flag(id, `bleButton1Slot${slot}`)),
  ...fourFrom(459, (id, slot) => flag(id, `bleButton2Slot${slot}`)),
];

const EYE_SENSORS: readonly IoElement[] = [
  ...fourFrom(10800, (id, slot) => signed(id, 2, `eyeTemp${slot}`, '°C', 0.01)),
  ...fourFrom(10804, (id, slot) => unsigned(id, 1, `eyeHumidity${slot}`, '%')),
  ...fourFrom(10808, (id, slot) => flag(id, `eyeMagnet${slot}`)),
  ...fourFrom(10812, (id, slot) => flag(id, `eyeMovement${slot}`)),
  ...fourFrom(10812, (id, slot) => flag(id, `eyeMovement${slot}`, 2)),
  ...fourFrom(10816, (id, slot) => signed(id, 1, `eyePitch${slot}`, '°')),
  ...fourFrom(10820, (id, slot) => flag(id, `eyeLowBattery${slot}`)),
  ...fourFrom(10824, (id, slot) => unsigned(id, 2, `eyeBattery${slot}`, 'V', 0.001)),
  ...fourFrom(10832, (id, slot) => signed(id, 2, `eyeRoll${slot}`, '°')),
  ...fourFrom(10836, (id, slot) => unsigned(id, 2, `eyeMovementCount${slot}`)),
  ...fourFrom(10840, (id, slot) => unsigned(id, 2, `eyeMagnetCount${slot}`)),
];

export const BLUETOOTH_ELEMENTS: readonly IoElement[] = [...LISTS, ...SLOT_SENSORS, ...EYE_SENSORS];
