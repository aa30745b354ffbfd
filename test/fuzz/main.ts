/**
 * `npm run fuzz -- [--cases n] [--seed n] [--protocol name]`: hostile bytes for every framer and decoder of the
 * registry. Cases that failed once come first. Prints its seed, which gives the same cases again; what fails is
 * printed as a line for `kept.json`. Exit codes: 0 every promise was kept; 1 one was not, or the mutations did not get
 * as far as the records.
 */
import { Command, InvalidArgumentError } from 'commander';
import { findProtocol, protocolNames } from '../../src/protocols/registry.ts';
import { asKept, keptCases } from './case.ts';
import { check } from './check.ts';
import { Generator } from './generate.ts';
import { Tally } from './tally.ts';

/** Below it the fuzzer tries the first check and nothing else. */
const LEAST_SHARE_WITH_RECORDS = 0.1;
const MOST_FAILURES = 10;

function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}

const command = new Command('npm run fuzz --')
  .description('Hostile bytes for every framer and decoder.')
  .option('--cases <n>', 'cases, over all protocols', wholeNumber, 1_000_000)
  .option('--seed <n>', 'the same seed gives the same cases; by default another one each time', wholeNumber)
  .option('--protocol <name>', `one of ${protocolNames.join(', ')}; by default all`)
  .parse();
const options = command.opts<{ cases: number; seed?: number; protocol?: string }>();
const names = options.protocol === undefined ? protocolNames : [options.protocol];
const protocols = names.map((name) => findProtocol(name) ?? command.error(`no such protocol: ${name}`));
const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);

const say = (line: string): void => { process.stdout.write(`${line}\n`); };
let failures = 0;

for (const kept of keptCases()) {
  const { problem } = check(kept);
  if (problem === null) continue;
  failures += 1;
  say(`kept case "${kept.why}" fails: ${problem}`);
}

say(`seed ${seed}`);
for (const protocol of protocols) {
  const generator = new Generator(protocol, seed);
  const tally = new Tally();
  const begun = performance.now();
  const count = Math.ceil(options.cases / protocols.length);
  while (tally.cases < count && failures < MOST_FAILURES) {
    const fuzzCase = generator.next();
    const { verdicts, problem } = check(fuzzCase);
    tally.add(fuzzCase.bytes.length, verdicts);
    if (problem === null) continue;
    failures += 1;
    say(`${protocol.name}, ${fuzzCase.way}: ${problem}\n${asKept(fuzzCase, problem.split('\n')[0] ?? '')}`);
  }
  const seconds = (performance.now() - begun) / 1_000;
  say(`${protocol.name}: ${tally.cases} cases, ${(tally.bytes / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s`);
  say(tally.lines().join('\n'));
  if (tally.shareWithRecords < LEAST_SHARE_WITH_RECORDS) {
    failures += 1;
    say(`too few cases of ${protocol.name} get as far as its records: see test/fuzz/repair.ts`);
  }
}
process.exitCode = failures === 0 ? 0 : 1;
