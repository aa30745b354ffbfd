/** A program for the tests: starts Directus in a folder and on a database, says so and stays until it is ended. */
import { startDirectusIn } from './process.ts';

const [folder = '', postgresUrl = ''] = process.argv.slice(2);
const { url, pid } = await startDirectusIn(folder, { postgresUrl });
process.stdout.write(`${JSON.stringify({ url, pid })}\n`);
process.stdin.resume();
