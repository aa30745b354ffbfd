/** What several questions take: the parameters of URLs, checked here and described for the OpenAPI document. */
import { z } from 'zod';
import { TIME_EXPECTED, parseTime } from './times.ts';

/** Text that PostgreSQL can compare with: no NUL. */
export function text(maxLength: number) {
  return z.string().min(1).max(maxLength).refine((value) => !value.includes('\0'), { error: 'expected text without NUL' });
}

/** The tracker's own identifier; as long as the database takes it. */
export const deviceId = text(128).describe("The tracker's own identifier, such as its IMEI.");

export const deviceParameters = z.object({ deviceId });

export const time = z
  .string()
  .max(40)
  .transform((value, context): number => {
    const ms = parseTime(value);
    if (ms !== undefined) return ms;
    context.addIssue({ code: 'custom', message: `expected ${TIME_EXPECTED}` });
    return z.NEVER;
  });

export function limit(options: { readonly default: number; readonly max: number }) {
  return z
    .string()
    .regex(/^\d{1,9}$/, { error: 'expected a whole number' })
    .transform(Number)
    .pipe(z.number().min(1).max(options.max))
    .optional()
    .describe(`Most items of a page, 1 to ${options.max}; ${options.default} where it is not given.`);
}

/** A list in one parameter, separated by commas. */
export function commaSeparated(maxItems: number) {
  return z
    .string()
    .max(64 * 1024)
    .refine((value) => !value.includes('\0'), { error: 'expected text without NUL' })
    .transform((value) => [...new Set(value.split(',').map((item) => item.trim()).filter((item) => item !== ''))])
    .pipe(z.array(z.string()).min(1, 'expected a list, separated by commas').max(maxItems));
}

export const groupId = z.uuid().describe('The id of a group.');
