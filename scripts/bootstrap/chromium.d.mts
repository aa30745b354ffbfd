export const CHROMIUM_PROGRAMS: readonly string[];
