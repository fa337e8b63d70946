// The lines of an INI file. Each option line goes through the `ini` package on its own. Given the whole file, the
// package would silently drop a section named like an earlier option, a line it does not understand, all but the
// last of two equal options, and every line number; and `'null' = x` makes it throw.
//
// The package's rules for a value: ; and # start a comment wherever they stand, unless escaped by \ or inside quotes
// that enclose the whole value; double quotes are read as JSON, single quotes as they are. For sections, blanks
// around the brackets and a comment behind them are accepted here too, which the package takes for an option.

import { parse } from 'ini';

export type IniLine = { readonly number: number } & (
  | { readonly type: 'section'; readonly name: string }
  | { readonly type: 'option'; readonly name: string; readonly value: string }
  | { readonly type: 'wrong'; readonly found: string; readonly wanted: string }
);

const NOTHING = /^\s*([;#]|$)/;
const SECTION = /^\s*\[([^[\]]*)\]\s*([;#]|$)/;
/** With spaces, so that `cache size` is answered by a suggestion. */
const NAME = /^[a-z][\w .-]*$/i;
/** No value of ours has these, and a terminal or a file system may trip over them. */
const CONTROL = /[\p{Cc}\p{Cs}]/u;
const WANTED_LINE = '[section], name = value, or a comment';
const WANTED_VALUE =
  'a value without control characters; quotes enclose all of it and no comment follows them; \\ in double quotes is written \\\\';

/** Lines count from 1. A byte order mark is a blank like others. */
export function* iniLines(text: string): Generator<IniLine> {
  for (const [index, line] of text.split(/\r\n|[\r\n]/).entries()) {
    if (!NOTHING.test(line)) yield readLine(line, index + 1);
  }
}

function readLine(line: string, number: number): IniLine {
  const [, section] = SECTION.exec(line) ?? [];
  if (section !== undefined) return { number, type: 'section', name: section.trim() };
  const equals = line.indexOf('=');
  const name = line.slice(0, equals).trim();
  if (equals < 0 || !NAME.test(name)) {
    return { number, type: 'wrong', found: line.trim(), wanted: WANTED_LINE };
  }
  const value = valueText(line.slice(equals + 1).trim());
  if (value === undefined || CONTROL.test(value) || /^["']/.test(value)) {
    return { number, type: 'wrong', found: line.trim(), wanted: WANTED_VALUE };
  }
  return { number, type: 'option', name, value };
}

/**
 * The text of a value. The package turns true, false, null and what is JSON inside single quotes into something
 * else; a line separator (U+2028, U+2029) makes it drop the line.
 */
function valueText(raw: string): string | undefined {
  const { value } = parse(`value = ${raw}`) as { readonly value?: unknown };
  if (value === undefined || typeof value === 'string') return value;
  if (typeof value === 'boolean' || value === null) return String(value);
  return raw.slice(1, -1);
}
