/** Types of `zones.js`, for the tests. */

export interface Area {
  /** A folder of `src`, or a file directly in it. */
  readonly area: string;
  readonly mayImport: readonly string[];
}

export interface Zone {
  readonly target: string;
  readonly from: string;
  readonly except?: readonly string[];
  readonly message: string;
}

export const AREAS: readonly Area[];

export function restrictedZones(areas?: readonly Area[]): readonly Zone[];
