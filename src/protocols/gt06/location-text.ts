/**
 * The position that a device writes in words when it is asked where it is:
 * `Current position!Lat:N22.57,Lon:E113.91,Course:0.00,Speed:0.00,DateTime:2021-03-04 05:06:07`.
 *
 * Source: Concox command list, answer to WHERE#. Speed is in km/h.
 */
import type { RecordDraft } from './record.ts';

const PATTERN = new RegExp([
  /^Current position!\s*Lat:(?<north>[NS])(?<latitude>\d+\.\d+),\s*/,
  /Lon:(?<east>[EW])(?<longitude>\d+\.\d+),\s*/,
  /Course:(?<course>\d+\.\d+),\s*Speed:(?<speed>\d+\.\d+)(?:km\/h)?,\s*/,
  /DateTime:(?<date>\d{4}-\d\d-\d\d) +(?<time>\d\d:\d\d:\d\d)\s*$/,
].map((part) => part.source).join(''), 'i');

/** Fills the record if the text is a position. Text that only looks like one is left alone. */
export function readLocationText(text: string, record: RecordDraft): boolean {
  const groups = PATTERN.exec(text)?.groups;
  if (groups === undefined) return false;
  const latitude = Number(groups['latitude']);
  const longitude = Number(groups['longitude']);
  const ts = Date.parse(`${groups['date'] ?? ''}T${groups['time'] ?? ''}Z`);
  if (Number.isNaN(ts) || latitude > 90 || longitude > 180) return false;
  record.hasFix = true;
  record.valid = true;
  record.ts = ts - record.zoneOffsetMs;
  record.latitude = latitude * (groups['north'] === 'S' ? -1 : 1);
  record.longitude = longitude * (groups['east'] === 'W' ? -1 : 1);
  record.course = Number(groups['course']);
  record.speed = Number(groups['speed']);
  return true;
}
