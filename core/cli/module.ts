// What the commands that run a single module have in common: the configuration file, what is missing in it, the hostkey, the
// log, and the addresses.

import type { ParseArgsOptionsConfig } from 'node:util';
import { type Config, ConfigError, readConfig } from '../config/index.ts';
import { type Hostkey, loadHostkey } from '../identity/index.ts';
import { createLogger, type Level, type Logger, lineSink, saltedTags } from '../log/index.ts';
import {
  type Address,
  type HostPort,
  NetworkError,
  realRng,
  realRuntime,
  resolveHost,
} from '../runtime/index.ts';
import {
  type Command,
  CommandError,
  EXIT_OK,
  type Io,
  type OptionValues,
  text,
} from './command.ts';

export const MODULE_OPTIONS: ParseArgsOptionsConfig = { config: { type: 'string', short: 'c' } };

/** The command that runs one module; `reads` says which parts of the configuration, and may be of several lines. */
export function moduleCommand(
  name: string,
  { title, reads }: { readonly title: string; readonly reads: string },
  run: (config: ModuleConfig, io: Io) => Promise<void>,
): Command {
  return {
    name,
    operands: '-c FILE',
    summary: `Run the ${title} module alone, speaking the specification’s API.`,
    details: [
      `  -c FILE  the configuration: ${reads}, and the global options;`,
      '           "voidphone help config" explains them',
    ].join('\n'),
    options: MODULE_OPTIONS,
    operandsMax: 0,
    async run(_operands, options, io) {
      await run(await moduleConfig(name, options, io), io);
      return EXIT_OK;
    },
  };
}

export interface ModuleConfig {
  readonly file: string;
  readonly config: Config;
}

export async function moduleConfig(
  name: string,
  options: OptionValues,
  io: Io,
): Promise<ModuleConfig> {
  const file = text(options, 'config');
  if (file === undefined) {
    throw new ConfigError([`no configuration given: voidphone ${name} -c FILE`]);
  }
  const { config, warnings } = await readConfig(file);
  for (const warning of warnings) io.note(warning);
  return { file, config };
}

type Present<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> };

/** Options the module cannot do without, by their names for people. All that are missing are told at once. */
export function required<T extends Readonly<Record<string, unknown>>>(
  file: string,
  options: T,
): Present<T> {
  const missing = Object.keys(options).filter((name) => options[name] === undefined);
  if (missing.length > 0)
    throw new ConfigError(missing.map((name) => `${file}: ${name} is missing`));
  return options as Present<T>;
}

export async function hostkeyAt(path: string, io: Io): Promise<Hostkey> {
  const { hostkey, warning } = await loadHostkey(path);
  if (warning !== undefined) io.note(warning);
  return hostkey;
}

export function moduleLog(io: Io, level: Level = 'info'): Logger {
  return createLogger({
    sink: lineSink({ print: io.note, show: saltedTags(realRng) }),
    clock: realRuntime.clock,
    level,
  });
}

/** Names in our own configuration are the operator's; nothing of another node is ever resolved. */
export async function resolved(where: HostPort): Promise<Address> {
  const address = await resolveHost(where);
  if (address === undefined) throw new CommandError(`${where.host}: this name has no address`);
  return address;
}

/** What does not work about listening, with the option that says where. */
export async function listening<T>(work: Promise<T>, option: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof NetworkError) throw new CommandError(`${option}: ${error.fault}`);
    throw error;
  }
}
