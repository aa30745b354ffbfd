/** The command line of the import: options and their help, and what is asked for. */
import { Command as Commander } from 'commander';
import { WRONG_OPTION, appending, parseCommandLine } from '../shared/command-line.ts';
import { OptionReader, rawOptions } from '../shared/option-reader.ts';
import { FIELD_NAMES, SPEED_UNITS } from './fields.ts';
import type { FormatName } from './formats/registry.ts';
import { FORMATS, FORMAT_NAMES } from './formats/registry.ts';
import type { DateOrder } from './item.ts';
import { isTimeZone } from './times.ts';

export interface ImportCommand {
  readonly files: readonly string[];
  readonly format: FormatName | null;
  readonly deviceId: string | null;
  readonly url: string | undefined;
  readonly key: string | undefined;
  readonly mapping: ReadonlyMap<string, string>;
  readonly devicesFile: string | undefined;
  readonly zone: string;
  readonly order: DateOrder;
  readonly speedFactor: number;
  readonly batchRecords: number;
  readonly inFlight: number;
  readonly giveUpMs: number;
  readonly rejectsFile: string | undefined;
  readonly stateFile: string | undefined;
  readonly resume: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

const ORDERS = ['ymd', 'dmy', 'mdy'] as const;

const OPTIONS: readonly (readonly [flags: string, help: string])[] = [
  ['--format <name>', `${FORMAT_NAMES.map((name) => `${name} (${FORMATS[name].names})`).join(', ')}; without it the file tells`],
  ['--device <id>', 'the device of all records, whatever the file says'],
  ['--url <url>', 'of the HTTP API; without it the Odograph that runs here'],
  ['--key <key>', 'API key with the scope write; also ODOGRAPH_API_KEY. Records older than a year need the scope admin'],
  ['--map <column=field>', `column or property → ${FIELD_NAMES.join(', ')}, attributes.NAME, or - to leave it out; may be repeated`],
  ['--devices <file>', "Traccar's devices (/api/devices as JSON, or tc_devices as CSV): which number is which identifier"],
  ['--timezone <name>', 'of times that do not say theirs, such as Europe/Vilnius; without it UTC'],
  ['--date-order <order>', 'of dates such as 01/02/2026: ymd (the default), dmy or mdy'],
  ['--speed-unit <unit>', `of speeds that do not say theirs: ${Object.keys(SPEED_UNITS).join(', ')}; without it km/h`],
  ['--rejects <file>', 'write what is rejected there, a JSON object a line, with where it stood and why'],
  ['--resume', 'go on where an earlier run of the same file has ended'],
  ['--state <file>', 'where to remember how far it has come; without it beside the file'],
  ['--batch <n>', 'records in a request; without it 1000'],
  ['--in-flight <n>', 'requests at once; without it 4'],
  ['--give-up-after <time>', 'when the server takes nothing for this long; without it 10m'],
  ['--dry-run', 'read and check, and send nothing'],
  ['--json', 'print the report as JSON'],
];

const NOTES = `
Files may be compressed with gzip. Columns are found by their usual names (imei, time, lat, lon, speed, heading …); what has no field becomes
an attribute. Exit codes: 0 all of it is imported; 1 records were rejected; 2 an option, a setting or a file is wrong; 3 the server
cannot be reached, or refuses; 130 interrupted. What was sent is kept, and can be sent again: a record is stored once.`;

/** What is asked for; or the exit code, when help was asked for or an option is not known. @throws OptionsError */
export function readCommandLine(argv: readonly string[]): ImportCommand | number {
  let command: ImportCommand | undefined;
  const program = new Commander('import').description('Imports files of records over the HTTP API.').addHelpText('after', NOTES)
    .argument('<files...>', 'CSV, GPX, GeoJSON, NDJSON or JSON').exitOverride();
  for (const [flags, help] of OPTIONS) {
    if (flags.startsWith('--map')) program.option(flags, help, appending('\n'));
    else program.option(flags, help);
  }
  program.action((files: string[], given: Record<string, string | boolean>) => {
    command = readCommand(files, new OptionReader(rawOptions(given)));
  });
  return parseCommandLine(program, argv) ?? command ?? WRONG_OPTION;
}

function readMapping(reader: OptionReader): ReadonlyMap<string, string> {
  const pairs = (reader.text('map') ?? '').split('\n').filter((pair) => pair !== '').map((pair) => {
    const at = pair.lastIndexOf('=');
    const [column, field] = [pair.slice(0, at), pair.slice(at + 1)];
    const isKnown = FIELD_NAMES.includes(field) || field === '-' || /^attributes\../.test(field);
    if (at < 1 || !isKnown) reader.problem('map', `column=field, with a field of ${FIELD_NAMES.join(', ')}, attributes.NAME or -`, pair);
    return [column, field] as const;
  });
  return new Map(pairs);
}

function readCommand(files: readonly string[], reader: OptionReader): ImportCommand {
  const zone = reader.text('timezone') ?? 'UTC';
  if (!isTimeZone(zone)) reader.problem('timezone', 'a name like Europe/Vilnius', zone);
  const unit = reader.choice('speed-unit', Object.keys(SPEED_UNITS), 'km/h');
  const command: ImportCommand = {
    files,
    format: reader.has('format') ? reader.choice('format', FORMAT_NAMES, 'csv') : null,
    deviceId: reader.text('device') ?? null,
    url: reader.url('url', ['http:', 'https:']),
    key: reader.text('key'),
    mapping: readMapping(reader),
    devicesFile: reader.text('devices'),
    zone,
    order: reader.choice('date-order', ORDERS, 'ymd'),
    speedFactor: SPEED_UNITS[unit] ?? 1,
    batchRecords: reader.integer('batch', { default: 1_000, min: 1, max: 1_000 }),
    inFlight: reader.integer('in-flight', { default: 4, min: 1, max: 64 }),
    giveUpMs: reader.duration('give-up-after', { default: 600_000, min: 1_000, max: 7 * 86_400_000 }),
    rejectsFile: reader.text('rejects'),
    stateFile: reader.text('state'),
    resume: reader.flag('resume'),
    dryRun: reader.flag('dry-run'),
    json: reader.flag('json'),
  };
  if (command.stateFile !== undefined && files.length > 1) reader.problem('state', 'one file to import beside it', command.stateFile);
  reader.finish();
  return command;
}
