/** Times as PostgreSQL takes them, whatever the year. Pure. */

/** A time for a parameter of type timestamptz. PostgreSQL has no year 0, and writes those before it its own way. */
export function sqlTime(time: number): string {
  if (!Number.isFinite(time)) return `${time < 0 ? '-' : ''}infinity`;
  const date = new Date(time);
  const year = date.getUTCFullYear();
  const rest = date.toISOString().slice(year < 0 || year > 9_999 ? 7 : 4);
  return `${String(year > 0 ? year : 1 - year).padStart(4, '0')}${rest}${year > 0 ? '' : ' BC'}`;
}
