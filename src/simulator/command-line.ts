/** The command line of the simulator: names and help of its options. What their values may be is in `options.ts`. */
import { Command } from 'commander';
import { parseCommandLine } from '../shared/command-line.ts';
import type { RawOptions } from '../shared/option-reader.ts';
import { rawOptions } from '../shared/option-reader.ts';
import { FAULTS } from './faults.ts';

const OPTIONS: readonly (readonly [flags: string, help: string])[] = [
  ['--devices <n>', 'trackers in the fleet (100)'],
  ['--interval <duration>', 'time between the records of a tracker (1s)'],
  ['--rate <n>', 'records/s of the whole fleet, instead of --interval'],
  ['--burst <n>', 'records that a tracker makes at once each interval (1)'],
  ['--records-per-frame <n>', 'records collected for a frame, 1 to 255 as far as 1280 bytes hold them (1)'],
  ['--backlog <n[:order]>', 'records stored before the start, sent oldest, newest or shuffled first (0:oldest)'],
  ['--duration <duration>', 'how long records are made; 0: until Ctrl-C (0)'],
  ['--drain <duration>', 'longest wait for acknowledgements at the end (30s)'],
  ['--codec <codec>', '8, 8e or 16 (8)'],
  ['--reconnect <duration>', 'every tracker connects anew about that often; 0: only when it must (0)'],
  ['--ramp <duration>', 'time over which the trackers connect (1s for 500)'],
  ['--ack-timeout <duration>', 'longest wait for the answer to a login or a frame (30s)'],
  ['--connect-timeout <duration>', 'give up when no tracker was accepted for so long (10s)'],
  ['--faults [kinds]', `things that go wrong, all or some of: ${Object.keys(FAULTS).join(',')}`],
  ['--fault-rate <share>', 'share of frames that meet a fault (0.02)'],
  ['--seed <n>', 'the same seed gives the same fleet, routes and faults (1)'],
  ['--imei-prefix <digits>', 'first digits of the IMEIs (35630700)'],
  ['--host <host>', 'where the trackers connect (the Odograph that runs here, or 127.0.0.1)'],
  ['--port <port>', 'its Teltonika port (the Odograph that runs here, or 5027)'],
  ['--verify', 'at the end compare with the database; exit 1 unless nothing is lost or duplicated'],
  ['--verify-timeout <duration>', 'give up waiting when nothing more has arrived in the database for so long (60s)'],
  ['--postgres-url <url>', 'the database (that of the Odograph that runs here)'],
  ['--metrics-url <url>', 'metrics for the consumer lag (those of the Odograph that runs here)'],
  ['--csv <file>', 'write rate, consumer lag and latency over time, a line a second'],
  ['--json', 'print the report as JSON'],
];

const EXIT_CODES = `
Durations are like 500ms, 1s or 2m. Ctrl-C ends the run with its report, a second one at once.
Exit codes: 0 done; 1 --verify found records lost or duplicated; 2 an option is wrong;
3 the server cannot be reached or accepted nothing, or the database cannot be asked.`;

/** The options given, by name; or the exit code, when help was asked for or an option is not known. */
export function readCommandLine(argv: readonly string[]): RawOptions | number {
  const command = new Command('simulate')
    .description('A fleet of trackers that drives on land and speaks Teltonika over TCP.')
    .addHelpText('after', EXIT_CODES)
    .allowExcessArguments(false)
    .exitOverride();
  for (const [flags, help] of OPTIONS) command.option(flags, help);
  return parseCommandLine(command, argv) ?? rawOptions(command.opts());
}
