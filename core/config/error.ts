// The one error of a configuration file. Its message names every problem, a line for each, and is meant for people:
// the command line prints it and ends with exit code 2. It quotes the file, so it does not belong in a log.

import { printable } from '../bytes/index.ts';

/** More than this tells nobody anything; a file of another kind has a problem in every line. */
const PROBLEMS_SHOWN_MAX = 20;
const QUOTED_CHARS_MAX = 80;

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** The first of many problems, and how many more there are. */
export function firstOf(problems: readonly string[]): readonly string[] {
  const more = problems.length - PROBLEMS_SHOWN_MAX;
  if (more <= 0) return problems;
  return [...problems.slice(0, PROBLEMS_SHOWN_MAX), `and ${more} more like these`];
}

/** Text from the file inside a message: short, and without codes a terminal would obey. */
export function quoted(text: string): string {
  const shown = text.length > QUOTED_CHARS_MAX ? `${text.slice(0, QUOTED_CHARS_MAX - 1)}…` : text;
  return `"${printable(shown)}"`;
}
