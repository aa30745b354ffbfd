/**
 * Logging: pino, ISO time, level names. WARN: something is wrong and nothing is lost. ERROR: data is lost, or may be.
 */
import { createRequire } from 'node:module';
import type { Logger } from 'pino';
import { destination, pino, stdTimeFunctions } from 'pino';
import type { Settings } from '../config/settings.ts';

export type { Logger } from 'pino';

const require = createRequire(import.meta.url);

/** pino-pretty is a development dependency: a production image goes without. */
function prettyIsInstalled(): boolean {
  try {
    require.resolve('pino-pretty');
    return true;
  } catch {
    return false;
  }
}

/** The root logger of a process; `INSTANCE_ID` is on every line. */
export function createLogger(settings: Pick<Settings, 'LOG_LEVEL' | 'LOG_FORMAT' | 'INSTANCE_ID'>): Logger {
  const wanted = settings.LOG_FORMAT === 'pretty' || (settings.LOG_FORMAT === 'auto' && process.stdout.isTTY);
  const options = {
    level: settings.LOG_LEVEL,
    base: { instance: settings.INSTANCE_ID },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Not synchronous: whoever reads the log slowly would stop the process. With a `minLength` of 0, the default, `flush`
  // waits for nothing, and the last lines of a process come in the wrong order.
  if (!wanted || !prettyIsInstalled()) return pino(options, destination({ dest: 1, sync: false, minLength: 1 }));
  const { formatters: _formatters, ...rest } = options;
  return pino({ ...rest, transport: { target: 'pino-pretty', options: { ignore: 'instance,pid,hostname', singleLine: true } } });
}
