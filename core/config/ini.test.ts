import fc from 'fast-check';
import { parse } from 'ini';
import { describe, expect, it } from 'vitest';
import { type IniLine, iniLines } from './ini.ts';

function lines(text: string): IniLine[] {
  return [...iniLines(text)];
}

/** The value of one option line, or undefined when the line is refused. */
function value(text: string): string | undefined {
  const [line] = lines(`option = ${text}`);
  return line?.type === 'option' ? line.value : undefined;
}

describe('the lines of an INI file', () => {
  it('are numbered as an editor numbers them, whatever ends them', () => {
    const text = '\uFEFFa=1\r\n; comment\n\n\t[ b ]\t# comment\r  # comment\rc = \n';
    expect(lines(text)).toEqual([
      { number: 1, type: 'option', name: 'a', value: '1' },
      { number: 4, type: 'section', name: 'b' },
      { number: 6, type: 'option', name: 'c', value: '' },
    ]);
  });

  it.each([
    'hops',
    '= 3',
    '[onion',
    '[onion] hops = 3',
    'bootstrapper[] = a:1',
    '"hops" = 3',
    "'null' = 3",
    '\0 = 3',
    '__proto__ = 3',
  ])('are refused like %j when they are neither section, option nor comment', (text) => {
    expect(lines(text)).toEqual([expect.objectContaining({ type: 'wrong', found: text })]);
  });

  it.each([['a.b'], ['__proto__'], ['constructor'], ['']])('take [%s] for a plain name', (name) => {
    expect(lines(`[${name}]`)).toEqual([{ number: 1, type: 'section', name }]);
  });
});

describe('the value of an option', () => {
  it.each([
    ['[2001:db8::1]:6001', '[2001:db8::1]:6001'],
    ['socks5://127.0.0.1:9050', 'socks5://127.0.0.1:9050'],
    ['a = b', 'a = b'],
    ['true', 'true'],
    ['null ; a comment', 'null'],
    ["'1.0'", '1.0'],
    ['\'{"a":1}\'', '{"a":1}'],
    ['a;b', 'a'],
    ['a#b', 'a'],
    ['a\\;b\\#c', 'a;b#c'],
    ['"a;b#c"', 'a;b#c'],
    ["'a;b#c'", 'a;b#c'],
    ['C:\\keys\\hostkey.pem', 'C:\\keys\\hostkey.pem'],
    ['\\\\server\\hostkey.pem', '\\server\\hostkey.pem'],
    ["'\\\\server\\hostkey.pem'", '\\\\server\\hostkey.pem'],
    ['"C:\\\\keys\\\\hostkey.pem"', 'C:\\keys\\hostkey.pem'],
    ['""', ''],
  ])('written as %s is %s', (written, expected) => {
    expect(value(written)).toBe(expected);
  });

  it.each([
    ['JSON escapes nobody meant', '"C:\\new.pem"'],
    ['a backslash JSON does not know', '"C:\\keys.pem"'],
    ['quotes around a part', '"a" b'],
    ['a comment behind quotes', "'a' ; comment"],
    ['an open quote', '"a'],
    ['a NUL byte', 'a\0b'],
    ['a terminal escape', 'a\x1b[31m'],
    ['a line separator', 'a\u2028b'],
    ['half a surrogate pair', '"\\ud800"'],
  ])('is refused with %s', (_what, written) => {
    expect(value(written)).toBeUndefined();
  });
});

describe('the ini package', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
  const plain = fc.stringMatching(/^[a-z0-9:/.[\], -]{0,20}$/);
  const written = fc.oneof(
    plain,
    plain.map((text) => `${text} ; comment`),
    plain.map((text) => `${text}\\;\\#`),
    fc.string().map((text) => JSON.stringify(`x${text.replace(/\p{Cc}/gu, '')}`)),
    fc.constantFrom('true', 'false', 'null', "'it; is'"),
  );
  const options = fc.dictionary(word, written, { maxKeys: 4 });

  it('reads every well-formed file the same way', () => {
    fc.assert(
      fc.property(options, fc.dictionary(word, options, { maxKeys: 4 }), (globals, sections) => {
        fc.pre(Object.keys(globals).every((name) => !Object.hasOwn(sections, name)));
        const text = [
          ...optionLines(globals),
          ...Object.entries(sections).flatMap(([name, own]) => [`[${name}]`, ...optionLines(own)]),
        ].join('\n');
        expect(nested(lines(text))).toEqual(texts(parse(text)));
      }),
      { seed: 2 },
    );
  });
});

function optionLines(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).map(([name, value]) => `${name} = ${value}`);
}

function nested(all: readonly IniLine[]): object {
  const root: Record<string, unknown> = {};
  let section = root;
  for (const line of all) {
    if (line.type === 'section') {
      section = {};
      root[line.name] = section;
    } else if (line.type === 'option') section[line.name] = line.value;
  }
  return root;
}

/** What the package made of a file, with the values it changed turned back into text. */
function texts(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, texts(inner)]));
}
