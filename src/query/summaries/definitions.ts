/**
 * What the numbers of a day mean: the limits, in one place. `docs/http-api.md` says the same in words.
 *
 * A stretch is the time between two records of a device that follow each other; it is what its first record says. Time
 * and way of a stretch over midnight are divided by time. What a day is does not depend on the range that is asked for.
 */

/** A longer stretch is a gap: nobody knows what the device did, and it counts as no time at all. */
export const GAP_LIMIT_S = 600;
/** Fixes, odometer readings and the last known ignition are connected over gaps up to this long. Less than a day. */
export const CONNECTION_LIMIT_S = 6 * 3_600;
/** A device that is slower stands. */
export const MOVING_KPH = 5;
/** A way that would have taken a higher speed than this is a jump of the receiver, and does not count. */
export const JUMP_KPH = 300;
/** What lies between two fixes of a standing device, when it is less than this, is drift and does not count. */
export const DRIFT_M = 100;
/** The odometers of vehicles count in steps as large as this. */
export const ODOMETER_STEP_M = 1_000;
/** Mean radius of the earth, for ways between fixes along great circles. */
export const EARTH_RADIUS_M = 6_371_008.8;
