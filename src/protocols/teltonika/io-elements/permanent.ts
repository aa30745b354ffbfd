/**
 * Permanent I/O elements of the FMB, FMC and FMM families: vehicle, power, GNSS, network, inputs and wired sensors.
 * Source: Teltonika wiki, "FMB120 Teltonika Data Sending Parameters ID" and its sister pages.
 */
import { flag, identifier, signed, unsigned, variable, within } from './element.ts';
import type { IoElement } from './element.ts';

/** DS18B20 on the 1-Wire bus: 850 is its value before the first measurement, 2000 and above are errors of the bus. */
function dallasTemperature(id: number, name: string): IoElement {
  return within(-550, 1150, signed(id, 4, name, '°C', 0.1), [850]);
}

export const PERMANENT_ELEMENTS: readonly IoElement[] = [
  // Vehicle and device
  flag(239, 'ignition'),
  flag(240, 'motion'),
  flag(303, 'instantMovement'),
  unsigned(80, 1, 'dataMode'),
  unsigned(200, 1, 'sleepMode'),
  unsigned(16, 4, 'odometer', 'm'),
  unsigned(199, 4, 'tripOdometer', 'm'),
  unsigned(449, 4, 'ignitionOnCounter', 's'),
  unsigned(12, 4, 'fuelUsedGps', 'l', 0.001),
  unsigned(13, 2, 'fuelRateGps', 'l/100km', 0.01),
  unsigned(15, 2, 'ecoScore', '', 0.01),
  signed(17, 2, 'axisX', 'mG'),
  signed(18, 2, 'axisY', 'mG'),
  signed(19, 2, 'axisZ', 'mG'),
  unsigned(383, 1, 'accelerometerCalibration'),
  unsigned(10, 1, 'sdStatus'),
  unsigned(263, 1, 'bluetoothStatus'),
  unsigned(391, 1, 'privateMode'),
  unsigned(637, 1, 'wakeReason'),

  // Power
  unsigned(66, 2, 'power', 'V', 0.001),
  unsigned(67, 2, 'battery', 'V', 0.001),
  unsigned(68, 2, 'batteryCurrent', 'A', 0.001),
  unsigned(113, 1, 'batteryLevel', '%'),

  // GNSS
  unsigned(69, 1, 'gnssStatus'),
  unsigned(24, 2, 'gnssSpeed', 'km/h'),
  unsigned(181, 2, 'pdop', '', 0.1),
  unsigned(182, 2, 'hdop', '', 0.1),
  variable(387, 'iso6709', 'text'),

  // Mobile network
  unsigned(21, 1, 'rssi'),
  unsigned(205, 2, 'cid'),
  unsigned(205, 4, 'cid'),
  unsigned(206, 2, 'lac'),
  unsigned(636, 4, 'cid4g'),
  unsigned(237, 1, 'networkType'),
  unsigned(241, 4, 'operator'),
  identifier(11, 'iccid', 'decimal'),
  identifier(14, 'iccid2', 'decimal'),

  // Inputs and outputs
  flag(1, 'in1'),
  flag(2, 'in2'),
  flag(3, 'in3'),
  flag(4, 'in4'),
  flag(179, 'out1'),
  flag(180, 'out2'),
  flag(380, 'out3'),
  flag(381, 'groundSense'),
  unsigned(9, 2, 'adc1', 'V', 0.001),
  unsigned(6, 2, 'adc2', 'V', 0.001),
  unsigned(4, 4, 'count1'),
  unsigned(5, 4, 'count2'),
  unsigned(622, 2, 'frequency1', 'Hz', 0.1),
  unsigned(623, 2, 'frequency2', 'Hz', 0.1),

  // 1-Wire
  dallasTemperature(72, 'temp1'),
  dallasTemperature(73, 'temp2'),
  dallasTemperature(74, 'temp3'),
  dallasTemperature(75, 'temp4'),
  identifier(76, 'dallasId1'),
  identifier(77, 'dallasId2'),
  identifier(79, 'dallasId3'),
  identifier(71, 'dallasId4'),

  // Driver
  identifier(78, 'driverUniqueId', 'ibutton'),
  identifier(8, 'authorizedIButton', 'ibutton'),
  identifier(207, 'rfid'),
  identifier(238, 'userId'),
  variable(264, 'barcode', 'text'),
  variable(403, 'driverName', 'text'),
  unsigned(404, 1, 'driverLicenseType'),
  unsigned(405, 1, 'driverGender'),
  unsigned(406, 4, 'driverCardId'),
  unsigned(408, 4, 'driverCardPlaceOfIssue'),
  unsigned(409, 1, 'driverStatus'),

  // Fuel sensors on RS232 and RS485: level in the sensor's own unit (kvants or litres, as it is configured)
  signed(201, 2, 'llsFuelLevel1'),
  signed(202, 1, 'llsTemp1', '°C'),
  signed(203, 2, 'llsFuelLevel2'),
  signed(204, 1, 'llsTemp2', '°C'),
  signed(210, 2, 'llsFuelLevel3'),
  signed(211, 1, 'llsTemp3', '°C'),
  signed(212, 2, 'llsFuelLevel4'),
  signed(213, 1, 'llsTemp4', '°C'),
  signed(214, 2, 'llsFuelLevel5'),
  signed(215, 1, 'llsTemp5', '°C'),
  signed(269, 1, 'escortTemp1', '°C'),
  signed(272, 1, 'escortTemp2', '°C'),
  signed(275, 1, 'escortTemp3', '°C'),
  signed(278, 1, 'escortTemp4', '°C'),
  unsigned(271, 2, 'escortBattery1', 'V', 0.01),
  unsigned(274, 2, 'escortBattery2', 'V', 0.01),
  unsigned(277, 2, 'escortBattery3', 'V', 0.01),
  unsigned(280, 2, 'escortBattery4', 'V', 0.01),
  signed(327, 2, 'ultrasonicFuelLevel', 'mm', 0.1),
  unsigned(483, 1, 'ultrasonicFuelStatus'),

  // MSP500 speed limiter
  variable(500, 'vendorName', 'text'),
  variable(501, 'vehicleNumber', 'text'),
  unsigned(502, 1, 'speedSensorStatus'),
];
