/**
 * `npm run simulate`: a fleet of trackers that drives on land and speaks Teltonika over TCP.
 *
 * Exit codes: 0 done; 1 the verification found records lost or duplicated; 2 an option is wrong; 3 the server cannot
 * be reached or accepted nothing, or the database cannot be asked; 130 interrupted twice; 141 nobody
 * reads what it prints.
 */
import { errorMessage } from '../shared/errors.ts';
import type { RawOptions } from '../shared/option-reader.ts';
import { OptionsError } from '../shared/option-reader.ts';
import { stopSignal } from '../shared/stop-signal.ts';
import { readCommandLine } from './command-line.ts';
import type { Addresses, Options } from './options.ts';
import { readOptions } from './options.ts';
import type { RunningInstance } from './running-instance.ts';
import { findRunningInstance } from './running-instance.ts';
import { simulate } from './simulation.ts';

/** `unread` as shells give it: 128 + SIGPIPE. */
const EXIT = { wrongOption: 2, unreachable: 3, unread: 141 } as const;
const DEFAULT_DATA_DIR = '.odograph';

async function main(): Promise<number> {
  const raw = readCommandLine(process.argv);
  if (typeof raw === 'number') return raw;
  const dataDir = process.env['ODOGRAPH_DATA_DIR'] ?? DEFAULT_DATA_DIR;
  const options = readOptions(raw, findRunningInstance(dataDir));
  const interruption = new AbortController();
  void stopSignal().then(() => { interruption.abort(); });
  const addresses = (): Addresses => currentAddresses(options, raw, findRunningInstance(dataDir));
  return simulate(options, addresses, interruption.signal, process);
}

/** An Odograph that was restarted during the run may have its servers on other ports. */
function currentAddresses(options: Options, raw: RawOptions, instance: RunningInstance | null): Addresses {
  try {
    return instance === null ? options : readOptions(raw, instance);
  } catch {
    // The one that runs now is another than the trackers' one: what was known at the start is the best there is.
    return options;
  }
}

// Whoever reads has seen enough: `--help | head`.
process.stdout.on('error', () => process.exit(EXIT.unread));
try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${errorMessage(error)}\n`);
  process.exitCode = error instanceof OptionsError ? EXIT.wrongOption : EXIT.unreachable;
}
