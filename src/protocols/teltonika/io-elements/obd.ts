/**
 * OBD and OBD OEM elements of the FMB, FMC and FMM families.
 * Source: Teltonika wiki, "FMB120 Teltonika Data Sending Parameters ID", OBD elements. Id 56 (absolute fuel rail
 * pressure) is left out: the documented multiplier contradicts its range.
 */
import { flag, signed, unsigned, variable } from './element.ts';
import type { IoElement } from './element.ts';

export const OBD_ELEMENTS: readonly IoElement[] = [
  unsigned(30, 1, 'faultCount'),
  unsigned(31, 1, 'engineLoad', '%'),
  signed(32, 1, 'coolantTemp', '°C'),
  signed(33, 1, 'shortFuelTrim', '%'),
  unsigned(34, 2, 'fuelPressure', 'kPa'),
  unsigned(35, 1, 'intakeManifoldPressure', 'kPa'),
  unsigned(36, 2, 'rpm', 'rpm'),
  unsigned(37, 1, 'obdSpeed', 'km/h'),
  signed(38, 1, 'timingAdvance', '°'),
  signed(39, 1, 'intakeAirTemp', '°C'),
  unsigned(40, 2, 'massAirFlow', 'g/s', 0.01),
  unsigned(41, 1, 'throttle', '%'),
  unsigned(42, 2, 'engineRunTime', 's'),
  unsigned(43, 2, 'milDistance', 'km'),
  unsigned(44, 2, 'relativeFuelRailPressure', 'kPa', 0.1),
  unsigned(45, 2, 'directFuelRailPressure', 'kPa', 10),
  unsigned(46, 1, 'commandedEgr', '%'),
  signed(47, 1, 'egrError', '%'),
  unsigned(48, 1, 'fuelLevel', '%'),
  unsigned(49, 2, 'distanceSinceCodesCleared', 'km'),
  unsigned(50, 1, 'barometricPressure', 'kPa'),
  unsigned(51, 2, 'controlModuleVoltage', 'V', 0.001),
  unsigned(52, 2, 'absoluteLoad', '%'),
  signed(53, 1, 'ambientAirTemp', '°C'),
  unsigned(54, 2, 'milTime', 'min'),
  unsigned(55, 2, 'timeSinceCodesCleared', 'min'),
  unsigned(57, 1, 'hybridBatteryLevel', '%'),
  unsigned(58, 1, 'engineOilTemp', '°C'),
  signed(59, 2, 'fuelInjectionTiming', '°', 0.01),
  unsigned(60, 2, 'obdFuelRate', 'l/h', 0.01),
  variable(256, 'vin', 'text'),
  variable(281, 'dtcs', 'text'),
  unsigned(540, 1, 'throttleGroup', '%'),
  unsigned(541, 1, 'commandedEquivalenceRatio', '', 0.01),
  unsigned(542, 2, 'intakeManifoldPressure2', 'kPa'),
  unsigned(543, 2, 'hybridSystemVoltage', 'V'),
  signed(544, 2, 'hybridSystemCurrent', 'A'),
  unsigned(759, 1, 'fuelType'),

  // OEM: asked for by vehicle-specific requests
  unsigned(389, 4, 'obdOdometer', 'm', 1000),
  unsigned(390, 4, 'oemFuel', 'l', 0.1),
  unsigned(402, 4, 'oemDistanceToService', 'km'),
  flag(410, 'oemBatteryCharging'),
  unsigned(411, 1, 'oemBatteryLevel', '%'),
  unsigned(755, 2, 'oemRemainingDistance', 'km'),
  unsigned(1151, 2, 'oemBatteryHealth', '%'),
  signed(1152, 2, 'oemBatteryTemp', '°C'),
];
