/** `npm run users`: adds users, lists and removes them; in the image `node src/accounts/users-main.ts`. */
import { run } from './program.ts';
import { readUsersCommand } from './users-commands.ts';

process.exitCode = await run(() => readUsersCommand(process.argv), process.env);
