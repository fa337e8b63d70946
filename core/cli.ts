// voidphone: the command line. Commands are in cli/; this file connects them to the process.

import { commands, type Io, runCommand } from './cli/index.ts';
import { realRuntime } from './runtime/index.ts';

const io: Io = {
  out: (text) => void process.stdout.write(`${text}\n`),
  note: (text) => void process.stderr.write(`${text}\n`),
  env: process.env,
  untilStopped: () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    // A signal handler alone does not keep the process alive.
    const hold = realRuntime.timers.after(Number.POSITIVE_INFINITY, () => {});
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    return promise.finally(() => hold.cancel());
  },
};

// A reader that has gone away (`voidphone help | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

process.exitCode = await runCommand(commands, process.argv.slice(2), io);
