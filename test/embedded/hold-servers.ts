/** A program for the tests: starts the embedded servers on the folder given, says so and stays until it is ended. */
import { startEmbedded } from '../../src/embedded/servers.ts';

const [dataDir = ''] = process.argv.slice(2);
const servers = await startEmbedded({ dataDir, redis: true, postgres: true });
process.stdout.write(`${JSON.stringify(servers)}\n`);
process.stdin.resume();
