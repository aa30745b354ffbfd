/** `node scripts/directus/install.ts`: Directus for the tests, installed where it is missing; prints the folder. */
import { ensureDirectus } from './installation.ts';

try {
  const { folder } = await ensureDirectus();
  process.stdout.write(`${folder}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
