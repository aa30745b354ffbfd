/**
 * Elements of the CAN adapters LV-CAN200, ALL-CAN300 and CAN-CONTROL on the FMB, FMC and FMM families.
 * Source: Teltonika wiki, "FMB120 Teltonika Data Sending Parameters ID", CAN adapter elements. Left out are those whose
 * documented range and multiplier contradict each other (utility vehicles 161 to 186, CNG, LNG and LPG quantities,
 * voltages and energies of high-voltage batteries).
 */
import { flag, identifier, signed, unsigned, variable } from './element.ts';
import type { IoElement } from './element.ts';

export const CAN_ELEMENTS: readonly IoElement[] = [
  unsigned(81, 1, 'obdSpeed', 'km/h'),
  unsigned(82, 1, 'throttle', '%'),
  unsigned(83, 4, 'fuelUsed', 'l', 0.1),
  unsigned(84, 2, 'fuel', 'l', 0.1),
  unsigned(85, 2, 'rpm', 'rpm'),
  unsigned(87, 4, 'obdOdometer', 'm'),
  unsigned(89, 1, 'fuelLevel', '%'),
  // Bits: 8 front left, 9 front right, 10 rear left, 11 rear right, 12 hood, 13 trunk, 14 roof
  unsigned(90, 2, 'doorStatus'),
  unsigned(100, 4, 'programNumber'),
  identifier(101, 'moduleId'),
  variable(388, 'moduleId17', 'hex'),
  unsigned(102, 4, 'engineWorkTime', 'min'),
  unsigned(103, 4, 'engineWorkTimeCounted', 'min'),
  unsigned(105, 4, 'obdOdometerCounted', 'm'),
  unsigned(107, 4, 'fuelUsedCounted', 'l', 0.1),
  unsigned(110, 2, 'fuelConsumption', 'l/h', 0.1),
  unsigned(111, 1, 'adBlueLevel', '%'),
  unsigned(112, 2, 'adBlue', 'l', 0.1),
  unsigned(114, 1, 'engineLoad', '%'),
  signed(115, 2, 'engineTemp', '°C', 0.1),
  unsigned(118, 2, 'axleLoad1', 'kg'),
  unsigned(119, 2, 'axleLoad2', 'kg'),
  unsigned(120, 2, 'axleLoad3', 'kg'),
  unsigned(121, 2, 'axleLoad4', 'kg'),
  unsigned(122, 2, 'axleLoad5', 'kg'),
  unsigned(188, 1, 'retarderLoad', '%'),
  unsigned(189, 4, 'cruiseTime', 'min'),
  unsigned(160, 1, 'canFaultCount'),
  variable(325, 'vin', 'text'),

  // Flags of the adapters as they are sent; protocol 4 sends them one by one as well (can-flags.ts)
  unsigned(123, 4, 'controlStateFlags'),
  identifier(124, 'agriculturalStateFlags'),
  identifier(132, 'securityStateFlags'),
  identifier(517, 'securityStateFlagsP4'),
  identifier(518, 'controlStateFlagsP4'),
  identifier(519, 'indicatorStateFlagsP4'),
  identifier(520, 'agriculturalStateFlagsP4'),
  identifier(521, 'utilityStateFlagsP4'),
  identifier(522, 'cisternStateFlagsP4'),

  // Electric, gas and other drives
  signed(151, 2, 'hvBatteryTemp', '°C', 0.1),
  unsigned(152, 1, 'hvBatteryLevel', '%'),
  unsigned(304, 4, 'batteryRange', 'm'),
  unsigned(305, 4, 'additionalFuelRange', 'm'),
  unsigned(866, 4, 'vehicleRange', 'km'),
  flag(232, 'cngStatus'),
  unsigned(234, 1, 'cngLevel', '%'),
  unsigned(235, 1, 'oilLevelIndicator'),
  unsigned(1158, 2, 'engineOilPressure', 'kPa'),
  unsigned(1159, 1, 'engineOilLevel', '%'),

  // Tachograph
  unsigned(133, 4, 'tachoOdometer', 'm'),
  unsigned(134, 4, 'tachoTripDistance', 'm'),
  unsigned(135, 2, 'tachoSpeed', 'km/h'),
  unsigned(136, 1, 'tachoDriverCards'),
  unsigned(137, 1, 'driver1State'),
  unsigned(138, 1, 'driver2State'),
  unsigned(139, 2, 'driver1ContinuousDrivingTime', 'min'),
  unsigned(140, 2, 'driver2ContinuousDrivingTime', 'min'),
  unsigned(141, 2, 'driver1CumulativeBreakTime', 'min'),
  unsigned(142, 2, 'driver2CumulativeBreakTime', 'min'),
  unsigned(143, 2, 'driver1ActivityDuration', 'min'),
  unsigned(144, 2, 'driver2ActivityDuration', 'min'),
  unsigned(145, 2, 'driver1CumulativeDrivingTime', 'min'),
  unsigned(146, 2, 'driver2CumulativeDrivingTime', 'min'),
  identifier(147, 'driver1IdHigh'),
  identifier(148, 'driver1IdLow'),
  identifier(149, 'driver2IdHigh'),
  identifier(150, 'driver2IdLow'),

  // Agriculture
  unsigned(125, 4, 'harvestingTime', 'min'),
  unsigned(126, 4, 'harvestArea', 'm²'),
  unsigned(127, 4, 'mowingEfficiency', 'm²/h'),
  unsigned(128, 4, 'grainMown', 'kg'),
  unsigned(129, 2, 'grainMoisture', '%'),
  unsigned(130, 2, 'harvestingDrumRpm', 'rpm'),
  unsigned(131, 1, 'harvestingDrumGap', 'mm'),
  unsigned(1079, 4, 'totalBaleCount'),
  unsigned(1080, 4, 'baleCount'),
  unsigned(1081, 4, 'cutBaleCount'),
  unsigned(1082, 4, 'baleSlices'),

  // Service and road signs
  unsigned(859, 4, 'distanceSinceServiceDue', 'km'),
  unsigned(860, 4, 'distanceSinceService', 'km'),
  unsigned(861, 2, 'timeToService', 'd'),
  unsigned(862, 2, 'timeSinceServiceDue', 'd'),
  unsigned(863, 2, 'timeSinceService', 'd'),
  unsigned(864, 4, 'distanceToOilService', 'km'),
  unsigned(865, 2, 'timeToOilService', 'd'),
  unsigned(1116, 1, 'roadSignSpeedLimit', 'km/h'),
  unsigned(1117, 1, 'roadSignSpeedExceeded', 'km/h'),
];
