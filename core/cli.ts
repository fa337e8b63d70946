// voidphone: the command line. Commands are in cli/; this file lists them and connects them to the process.

import type { Io } from './cli/index.ts';
import { commands, runCommand } from './cli/index.ts';

const io: Io = {
  out: (text) => void process.stdout.write(`${text}\n`),
  note: (text) => void process.stderr.write(`${text}\n`),
  env: process.env,
  stopped: new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  }),
};

// A reader that has gone away (`voidphone help | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

process.exitCode = await runCommand(commands, process.argv.slice(2), io);
