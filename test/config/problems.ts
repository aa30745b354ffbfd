import { SettingsError, loadSettings } from '../../src/config/load.ts';

/** What a start in this environment would print, a line for each problem. */
export function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}
