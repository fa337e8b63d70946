// From the text of a configuration file to a Config: every line is looked up in the table of options.ts. What is
// unknown is a warning, so that the file of a foreign module works; what is wrong is an error, and all errors are
// told at once. Upper case in names is accepted with a warning.

import { DecodeError, decodeUtf8 } from '../bytes/index.ts';
import { FileError, readFile } from '../runtime/index.ts';
import { ConfigError, firstOf, quoted } from './error.ts';
import { type IniLine, iniLines } from './ini.ts';
import { nearest } from './nearest.ts';
import { type Config, OPTIONS, type Option } from './options.ts';

/** A thousand times what the options need, and quick to go through even when every line is wrong. */
const FILE_BYTES_MAX = 256 << 10;

const SECTIONS: Readonly<Record<string, Readonly<Record<string, Option>>>> = OPTIONS;

/** By `section.name`: every place in a file where an option may stand. */
const PLACES: ReadonlyMap<string, Option> = new Map(
  Object.entries(SECTIONS).flatMap(([section, options]) =>
    Object.entries(options).flatMap(([name, option]) =>
      [section, option.alsoIn ?? section].map((place) => [`${place}.${name}`, option] as const),
    ),
  ),
);

export interface LoadedConfig {
  readonly config: Config;
  /** For people, like the messages of ConfigError. */
  readonly warnings: readonly string[];
}

/** Throws nothing but ConfigError. */
export async function readConfig(file: string): Promise<LoadedConfig> {
  try {
    const { bytes } = await readFile(file, FILE_BYTES_MAX);
    return parseConfig(decodeUtf8(bytes), file);
  } catch (error) {
    if (error instanceof FileError) throw new ConfigError([error.message]);
    if (error instanceof DecodeError) throw new ConfigError([`${file}: is no UTF-8 text`]);
    throw error;
  }
}

/** `file` names the text in messages, and its folder is where relative paths start. Throws nothing but ConfigError. */
export function parseConfig(text: string, file: string): LoadedConfig {
  const reading = new Reading(file);
  for (const line of iniLines(text)) reading.take(line);
  return reading.finish();
}

class Reading {
  readonly #file: string;
  /** The section whose lines are being read; undefined while they belong to none of ours. */
  #section: string | undefined = 'global';
  /** By option of the table, so it is as small as the table. */
  readonly #set = new Map<Option, { readonly line: number; readonly value: unknown }>();
  /** Bounded by the size of the file. */
  readonly #errors: string[] = [];
  readonly #warnings: string[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  take(line: IniLine): void {
    if (line.type === 'section') this.#enter(line.name, line.number);
    else if (line.type === 'option') this.#look(line.name, line.value, line.number);
    else this.#refuse(line.number, `found ${quoted(line.found)}, wanted ${line.wanted}`);
  }

  finish(): LoadedConfig {
    if (this.#errors.length > 0) throw new ConfigError(firstOf(this.#errors));
    const config = mapValues(SECTIONS, (options) =>
      mapValues(options, (option) => this.#valueOf(option)),
    ) as Config;
    return { config, warnings: firstOf(this.#warnings) };
  }

  #enter(written: string, line: number): void {
    const section = written.toLowerCase();
    const known = Object.hasOwn(SECTIONS, section);
    this.#section = known ? section : undefined;
    if (!known) {
      const near = nearest(section, Object.keys(SECTIONS));
      this.#warn(line, `unknown section ${quoted(written)} is ignored${question(near, '[', ']')}`);
    } else if (written !== section) this.#warn(line, `[${section}] is written in lower case`);
  }

  #look(written: string, text: string, line: number): void {
    const section = this.#section;
    if (section === undefined) return;
    const name = written.toLowerCase();
    const option = PLACES.get(`${section}.${name}`);
    if (option === undefined) {
      const what = `[${section}] has no option ${quoted(written)}; it is ignored`;
      this.#warn(line, what + hint(section, name));
    } else {
      const where = `[${section}] ${name}`;
      if (written !== name) this.#warn(line, `${where} is written in lower case`);
      this.#accept(option, text, { line, where });
    }
  }

  #accept(option: Option, text: string, at: { readonly line: number; readonly where: string }) {
    const earlier = this.#set.get(option);
    if (earlier !== undefined) {
      this.#refuse(at.line, `${at.where}: is set in line ${earlier.line} already`);
    }
    const value = option.kind.parse(text, this.#file);
    if (value === undefined) {
      const found = text === '' ? 'nothing' : quoted(text);
      this.#refuse(at.line, `${at.where}: found ${found}, wanted ${option.kind.accepts}`);
    }
    this.#set.set(option, { line: at.line, value });
  }

  #valueOf(option: Option): unknown {
    const set = this.#set.get(option);
    if (set !== undefined) return set.value;
    return option.default === undefined ? undefined : option.kind.parse(option.default, this.#file);
  }

  #refuse(line: number, what: string): void {
    this.#errors.push(`${this.#file}:${line}: ${what}`);
  }

  #warn(line: number, what: string): void {
    this.#warnings.push(`${this.#file}:${line}: ${what}`);
  }
}

/** A known name that an unknown one may have been meant for: a similar one here, or the same elsewhere. */
function hint(section: string, name: string): string {
  const near = nearest(name, Object.keys(SECTIONS[section] ?? {}));
  if (near !== undefined) return question(near);
  const other = Object.keys(SECTIONS).find((candidate) => PLACES.has(`${candidate}.${name}`));
  return question(other, 'the one of [', ']');
}

function question(name: string | undefined, before = '', after = ''): string {
  return name === undefined ? '' : `; did you mean ${before}${name}${after}?`;
}

function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  change: (value: T) => U,
): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
