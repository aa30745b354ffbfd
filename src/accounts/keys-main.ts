/** `npm run keys`: makes API keys, lists and revokes them; in the image `node src/accounts/keys-main.ts`. */
import { readKeysCommand } from './keys-commands.ts';
import { run } from './program.ts';

process.exitCode = await run(() => readKeysCommand(process.argv), process.env);
