/**
 * Security (SSF), control (CSF) and indicator (ISF) state flags of the CAN adapters, one element a flag, in the
 * vendor's order.
 * Source: Teltonika wiki, "FMB120 Teltonika Data Sending Parameters ID", CAN adapter elements.
 */
import { flag } from './element.ts';
import type { IoElement } from './element.ts';

/** Names of consecutive ids from `firstId`. */
function flagsFrom(firstId: number, names: readonly string[]): readonly IoElement[] {
  return names.map((name, index) => flag(firstId + index, name));
}

export const CAN_FLAG_ELEMENTS: readonly IoElement[] = [
  ...flagsFrom(652, [
    'keyInIgnitionLock', 'handbrake', 'doorFrontLeftOpen', 'doorFrontRightOpen', 'doorRearLeftOpen',
    'doorRearRightOpen', 'trunkOpen', 'gearNeutral', 'gearParking', 'gearReverse',
    // Documented as "Car Is Closed", with 1 for open
    'door',
  ]),
  ...flagsFrom(898, [
    'canIgnition', 'webasto', 'engineWorking', 'standaloneEngine', 'readyToDrive',
    'engineOnCng', 'workMode', 'operatorPresent', 'interlock', 'engineLockActive',
    'engineLockRequest', 'roofOpen', 'footBrake', 'clutchPushed', 'hazardWarningLights',
    'hoodOpen', 'chargingWirePlugged', 'batteryCharging', 'electricEngine', 'closedByFactoryRemote',
    'factoryAlarmActuated', 'factoryAlarmEmulated', 'factoryRemoteClose', 'factoryRemoteOpen', 'rearmingSignal',
    'trunkOpenedByFactoryRemote', 'canModuleSleep', 'factoryRemoteTriple', 'factoryArmed', 'gearDrive',
  ]),
  ...flagsFrom(928, [
    'parkingLights', 'dippedHeadlights', 'fullBeamHeadlights', 'rearFogLights', 'frontFogLights',
    'additionalFrontLights', 'additionalRearLights', 'lightSignal', 'airConditioning', 'cruiseControl',
    'automaticRetarder', 'manualRetarder', 'driverSeatbelt', 'frontSeatbelt', 'leftSeatbelt',
    'rightSeatbelt', 'centreSeatbelt', 'frontPassenger', 'powerTakeOff', 'frontDifferentialLocked',
    'rearDifferentialLocked', 'centralDifferential4HiLocked', 'rearDifferential4LoLocked', 'trailerAxle1Lifted',
    'trailerAxle2Lifted',
  ]),
  ...flagsFrom(953, [
    'checkEngineIndicator', 'absIndicator', 'espIndicator', 'espOff', 'stopIndicator',
    'oilIndicator', 'coolantIndicator', 'batteryNotChargingIndicator', 'handbrakeIndicator', 'airbagIndicator',
    'epsIndicator', 'warningIndicator', 'lightsFailureIndicator', 'tirePressureIndicator', 'brakePadsIndicator',
    'lowFuelIndicator', 'maintenanceIndicator', 'glowPlugIndicator', 'particulateFilterIndicator',
    'powerControlIndicator', 'oilFilterIndicator', 'oilPressureIndicator', 'oilTemperatureIndicator',
    'lowCoolantIndicator', 'hydraulicFilterIndicator', 'hydraulicPressureIndicator', 'hydraulicOilIndicator',
    'hydraulicTemperatureIndicator', 'hydraulicOverflowIndicator', 'airFilterIndicator', 'fuelFilterIndicator',
    'waterInFuelIndicator', 'brakeFilterIndicator', 'washerFluidIndicator', 'adBlueIndicator',
    'trailerTirePressureIndicator', 'trailerBrakeLiningIndicator', 'trailerBrakeTemperatureIndicator',
    'trailerPneumaticIndicator', 'lowCngIndicator',
  ]),
];
