/** What the fields of a record are called elsewhere, for whoever has called them so here. Pure. */

const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  deviceId: ['device', 'id', 'imei', 'uniqueid', 'deviceid'],
  ts: ['time', 'timestamp', 'datetime', 'date', 'fixtime', 'devicetime'],
  latitude: ['lat'],
  longitude: ['lon', 'lng', 'long'],
  altitude: ['alt', 'ele', 'elevation'],
  course: ['heading', 'bearing', 'direction'],
  satellites: ['sats', 'sat'],
  eventId: ['event', 'eventid'],
  attributes: ['attrs', 'attribute', 'properties'],
};

const MEANT: ReadonlyMap<string, string> = new Map(
  Object.entries(ELSEWHERE).flatMap(([field, names]) => [field, ...names].map((name) => [name.toLowerCase(), field])));

/** The field that somebody may have meant by a name that is none. */
export function meantBy(name: string): string | undefined {
  return MEANT.get(name.toLowerCase().replace(/[_-]/g, ''));
}
