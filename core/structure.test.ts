// Enforces the house style: which folder may import which, what the core may not touch, and how large things get.
// A rule that makes code worse may be broken by naming the place and the reason in the tables below.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Imports go down only: a folder sees the rows above its own in this list, never its siblings. */
const LAYERS: readonly (readonly string[])[] = [
  ['bytes'],
  ['runtime'],
  ['crypto', 'log'],
  ['identity', 'config', 'store', 'module-api', 'sim'],
  ['link'],
  ['rpc'],
  ['gossip', 'rps', 'nse'],
  ['dht', 'onion'],
  ['presence', 'calls', 'messages', 'audio'],
  ['node'],
  ['cli'],
  ['cli.ts'],
];

/** Where the outside world may be touched: folders whole, and drivers by their file name. */
const MAY_TOUCH_NODE = [
  /^runtime\//,
  /^crypto\//,
  /^store\//,
  /^audio\//,
  /^cli\//,
  /^cli\.ts$/,
  /(^|[-/])driver\.ts$/,
  /-worker\.ts$/,
];
const MAY_PRINT = [/^cli\//, /^cli\.ts$/];

const BANS: readonly { what: string; pattern: RegExp; except: readonly RegExp[] }[] = [
  {
    what: 'reads the clock',
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/,
    except: [/^runtime\//],
  },
  {
    what: 'starts a timer',
    pattern: /\bset(Timeout|Interval|Immediate)\(/,
    except: [/^runtime\//],
  },
  { what: 'uses Math.random', pattern: /\bMath\.random\b/, except: [] },
  {
    what: 'imports node:*',
    pattern: /from 'node:|import\('node:|require\('node:/,
    except: MAY_TOUCH_NODE,
  },
  { what: 'imports electron', pattern: /from 'electron'/, except: [] },
  { what: 'prints', pattern: /\bconsole\.|process\.std(out|err)/, except: MAY_PRINT },
];

/** path: why it is allowed. */
const BAN_EXCEPTIONS: Readonly<Record<string, string>> = {};

const FILE_LINES_MAX = 350;
const FUNCTION_LINES_MAX = 70;
/** path: why it is longer than FILE_LINES_MAX. 500 is the end, with or without a reason. */
const LONG_FILES: Readonly<Record<string, string>> = {};

const CORE = import.meta.dirname;
const everything = readdirSync(CORE, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(join(CORE, path), 'utf8') }));
const production = everything.filter(({ path }) => !isTest(path));

function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.includes('testing/');
}

function area(path: string): string {
  return path.split('/')[0] ?? path;
}

function rowOf(name: string): number {
  return LAYERS.findIndex((row) => row.includes(name));
}

function importsOf(path: string, text: string): string[] {
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(
    (m) => m[1] ?? '',
  );
  return specifiers.map((specifier) => normalize(join(dirname(path), specifier)));
}

describe('structure of core/', () => {
  it('has every folder in the layer table', () => {
    const unknown = new Set(
      production.map(({ path }) => area(path)).filter((name) => rowOf(name) < 0),
    );
    expect([...unknown]).toEqual([]);
  });

  it('imports downwards only, and other folders through their index', () => {
    const wrong = production.flatMap(({ path, text }) =>
      importsOf(path, text)
        .filter((target) => area(target) !== area(path))
        .filter((target) => {
          const down = rowOf(area(target)) < rowOf(area(path));
          const index = target === join(area(target), 'index.ts') || !target.includes('/');
          return target.startsWith('..') || !down || !index;
        })
        .map((target) => `${path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it.each(BANS)('never $what outside the places for it', ({ pattern, except }) => {
    const offenders = production
      .filter(({ path }) => !except.some((allowed) => allowed.test(path)))
      .filter(({ path }) => !(path in BAN_EXCEPTIONS))
      .filter(({ text }) => pattern.test(withoutComments(text)))
      .map(({ path }) => path);
    expect(offenders).toEqual([]);
  });

  it(`keeps files under ${FILE_LINES_MAX} lines, or says why not`, () => {
    const long = everything
      .map(({ path, text }) => ({ path, lines: text.split('\n').length }))
      .filter(({ path, lines }) => lines > (path in LONG_FILES ? 500 : FILE_LINES_MAX))
      .map(({ path, lines }) => `${path}: ${lines}`);
    expect(long).toEqual([]);
  });

  it(`keeps functions under ${FUNCTION_LINES_MAX} lines`, () => {
    const long = production.flatMap(({ path, text }) =>
      functionLengths(text)
        .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
        .map(({ name, lines }) => `${path} ${name}: ${lines}`),
    );
    expect(long).toEqual([]);
  });

  it('keeps no exception that is not needed any more', () => {
    const lines = new Map(everything.map(({ path, text }) => [path, text.split('\n').length]));
    const stale = Object.keys(LONG_FILES).filter(
      (path) => (lines.get(path) ?? 0) <= FILE_LINES_MAX,
    );
    const gone = Object.keys(BAN_EXCEPTIONS).filter((path) => !lines.has(path));
    expect([...stale, ...gone]).toEqual([]);
  });

  it('has no path of a machine in it', () => {
    const machine = ['/wo' + 'rk/', '/ro' + 'ot/', '/ho' + 'me/'];
    const offenders = everything.filter(({ text }) => machine.some((path) => text.includes(path)));
    expect(offenders.map(({ path }) => relative(CORE, join(CORE, path)))).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}

/** Top-level functions and methods by the formatter's indentation: a head, and the line that closes it. */
function functionLengths(text: string): { name: string; lines: number }[] {
  const found: { name: string; lines: number }[] = [];
  const lines = text.split('\n');
  const head =
    /^( {0,2})(?:export |async |static |private |override |function |get |set |\*)*(#?\w+)[(<][^;]*\{$/;
  lines.forEach((line, start) => {
    const [, indent, name = ''] = head.exec(line) ?? [];
    if (indent === undefined || ['if', 'for', 'while', 'switch', 'catch'].includes(name)) return;
    const end = lines.findIndex((other, i) => i > start && other === `${indent}}`);
    if (end >= 0) found.push({ name, lines: end - start + 1 });
  });
  return found;
}
