/** Web origins as a browser sends them in `Origin`: scheme, host and port, without a path. */

function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** The origins of a comma-separated list; undefined where one is none, `null` and `*` among them. */
export function parseOrigins(text: string): readonly string[] | undefined {
  const origins = text.split(',').map((part) => part.trim()).filter((part) => part !== '');
  return origins.every(isOrigin) ? origins : undefined;
}
