// voidphone help: the list of commands, one command, or the configuration reference.

import { configurationReference } from '../config/index.ts';
import { type Command, EXIT_OK, UsageError } from './command.ts';

const EXIT_CODES = `Exit codes:
  0  it worked
  1  it did not work, or a check failed; the reason is on standard error
  2  the command line or a configuration file is wrong; nothing was done`;

/** Takes the list as a function, since `help` is itself on it. */
export function helpCommand(commands: () => readonly Command[]): Command {
  return {
    name: 'help',
    operands: '[COMMAND | config]',
    summary: 'Explain the commands, one command, or every option of the configuration files.',
    details: '  help config  prints the configuration reference (docs/configuration.md)',
    options: {},
    operandsMax: 1,
    async run([topic], _options, io) {
      if (topic === undefined) io.out(overview(commands()));
      else if (topic === 'config') io.out(configurationReference().trimEnd());
      else io.out(usage(findCommand(commands(), topic)));
      return EXIT_OK;
    },
  };
}

export function findCommand(commands: readonly Command[], name: string): Command {
  const found = commands.find((command) => command.name === name);
  if (found !== undefined) return found;
  throw new UsageError(`There is no command ${JSON.stringify(name)}.`);
}

export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const list = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return ['Usage: voidphone COMMAND [OPTIONS]', '', ...list, '', EXIT_CODES].join('\n');
}

export function usage({ name, operands, summary, details }: Command): string {
  const line = ['Usage: voidphone', name, operands].filter((part) => part !== '').join(' ');
  return [line, '', summary, details].filter((part, i) => i === 1 || part !== '').join('\n');
}
