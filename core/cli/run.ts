// Finds the command, reads its options, runs it, and turns what goes wrong into an exit code and a sentence.

import { parseArgs } from 'node:util';
import { ConfigError } from '../config/index.ts';
import { HostkeyError } from '../identity/index.ts';
import { StoreError } from '../store/index.ts';
import {
  type Command,
  CommandError,
  EXIT_FAILED,
  EXIT_USAGE,
  type Io,
  UsageError,
} from './command.ts';
import { findCommand, overview, usage } from './help.ts';

/** Their messages are sentences for people; everything else is a bug and shows its stack. */
const FAILURES = [CommandError, HostkeyError, StoreError];

export async function runCommand(
  commands: readonly Command[],
  args: readonly string[],
  io: Io,
): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    io.note(overview(commands));
    return EXIT_USAGE;
  }
  try {
    if (['--help', '-h'].includes(name)) return await runOne(commands, 'help', [], io);
    if (name === '--version') return await runOne(commands, 'version', [], io);
    if (rest.includes('--help')) return await runOne(commands, 'help', [name], io);
    return await runOne(commands, name, rest, io);
  } catch (error) {
    return explain(error, io);
  }
}

async function runOne(
  commands: readonly Command[],
  name: string,
  args: readonly string[],
  io: Io,
): Promise<number> {
  const command = findCommand(commands, name);
  try {
    const { values, positionals } = parse(command, args);
    return await command.run(positionals, values, io);
  } catch (error) {
    if (error instanceof UsageError) io.note(`${usage(command)}\n`);
    throw error;
  }
}

function parse(command: Command, args: readonly string[]) {
  try {
    const parsed = parseArgs({
      args: [...args],
      options: command.options,
      allowPositionals: true,
      strict: true,
    });
    if (parsed.positionals.length > command.operandsMax) {
      const extra = parsed.positionals[command.operandsMax];
      throw new UsageError(`${JSON.stringify(extra)} is one argument too many.`);
    }
    return { positionals: parsed.positionals, values: flat(parsed.values) };
  } catch (error) {
    // Behind its first sentence Node explains how to escape dashes.
    if (error instanceof TypeError) throw new UsageError(`${error.message.split('. ')[0]}.`);
    throw error;
  }
}

/** No command takes an option twice. */
function flat(values: Readonly<Record<string, unknown>>): Record<string, string | boolean> {
  return Object.fromEntries(
    Object.entries(values).filter(
      (entry): entry is [string, string | boolean] =>
        typeof entry[1] === 'string' || typeof entry[1] === 'boolean',
    ),
  );
}

function explain(error: unknown, io: Io): number {
  if (error instanceof UsageError) {
    io.note(`${error.message} "voidphone help" lists the commands.`);
    return EXIT_USAGE;
  }
  if (error instanceof ConfigError) {
    io.note(error.message);
    return EXIT_USAGE;
  }
  if (FAILURES.some((failure) => error instanceof failure) && error instanceof Error) {
    io.note(error.message);
    return EXIT_FAILED;
  }
  throw error;
}
