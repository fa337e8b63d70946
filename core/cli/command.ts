// What a command of `voidphone` is. Commands talk through Io, so tests run them in-process; they answer an exit code.
// What a program might read goes to out(), what only people read goes to note().

import type { ParseArgsOptionsConfig } from 'node:util';

export const EXIT_OK = 0;
/** Something did not work, or a check failed. */
export const EXIT_FAILED = 1;
/** The command line or a configuration file is wrong. */
export const EXIT_USAGE = 2;

export interface Io {
  out(text: string): void;
  note(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Keeps the program running until it is asked to stop (Ctrl-C, SIGTERM). */
  untilStopped(): Promise<void>;
}

export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

export interface Command {
  readonly name: string;
  /** What stands behind the name in the usage line. */
  readonly operands: string;
  readonly summary: string;
  /** What `help NAME` prints below the usage line. */
  readonly details: string;
  readonly options: ParseArgsOptionsConfig;
  /** How many operands there may be. */
  readonly operandsMax: number;
  run(operands: readonly string[], options: OptionValues, io: Io): Promise<number>;
}

/** The person at the keyboard asked for something impossible: exit code 2, with the command's usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A failure whose message is a sentence for people: exit code 1, without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export function printJson(io: Io, value: unknown): void {
  io.out(JSON.stringify(value, undefined, 2));
}

export function text(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** An option that is a whole number within limits. */
export function wholeNumber(
  options: OptionValues,
  name: string,
  limits: { readonly min: number; readonly max: number; readonly otherwise: number },
): number {
  const given = text(options, name);
  if (given === undefined) return limits.otherwise;
  const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
  if (value >= limits.min && value <= limits.max) return value;
  throw new UsageError(
    `--${name} ${JSON.stringify(given)}: wanted a whole number from ${limits.min} to ${limits.max}.`,
  );
}
