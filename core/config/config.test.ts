import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { fuzz } from '../bytes/testing/hostile.ts';
import type { HostPort } from '../runtime/index.ts';
import {
  type Config,
  ConfigError,
  configurationReference,
  parseConfig,
  readConfig,
} from './index.ts';
import { OPTIONS, type Option } from './options.ts';
import { EXAMPLE } from './reference.ts';

const FILE = resolve('etc', 'node.ini');

function config(text: string): Config {
  const { config, warnings } = parseConfig(text, FILE);
  expect(warnings).toEqual([]);
  return config;
}

function warnings(text: string): readonly string[] {
  return parseConfig(text, FILE).warnings;
}

function problems(text: string): readonly string[] {
  try {
    parseConfig(text, FILE);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('a configuration file', () => {
  it('sets what it names and leaves the rest at its default', () => {
    const { global, link, gossip, onion } = config(`
      hostkey = keys/hostkey.pem
      network = test-1
      allow_private = Yes
      [link]
      proxy = socks5://[::1]:9050
      [gossip]
      bootstrapper = p2psec.net.in.tum.de:6001, [2001:DB8::1]:6001
      p2p_address = [2001:db8::1]:6001
      [onion]
      p2p_hostname = 2001:DB8::2
      hops = 3`);
    expect(global).toEqual({
      hostkey: resolve('etc', 'keys', 'hostkey.pem'),
      network: 'test-1',
      allow_private: true,
      profile: undefined,
    });
    expect(link.proxy).toEqual({ host: '::1', port: 9050 });
    expect(gossip).toMatchObject({
      bootstrapper: [
        { host: 'p2psec.net.in.tum.de', port: 6001 },
        { host: '2001:db8::1', port: 6001 },
      ],
      p2p_address: { host: '2001:db8::1', port: 6001 },
      api_address: undefined,
      degree: 6,
    });
    expect(onion).toMatchObject({ p2p_hostname: '2001:db8::2', hops: 3, round: 300 });
  });

  it('may be empty', () => {
    expect(config('')).toMatchObject({
      global: { hostkey: undefined, network: 'voidphone', allow_private: false },
      gossip: { bootstrapper: [], cache_size: 1000, max_connections: 30 },
      nse: { history: 64, period: 300 },
      onion: { hops: 2, round: 300, guards: undefined, max_circuits: 32 },
    });
  });

  it('has types that say which options are always there', () => {
    expectTypeOf<Config['onion']['hops']>().toEqualTypeOf<number>();
    expectTypeOf<Config['onion']['guards']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Config['global']['profile']>().toEqualTypeOf<'spec' | 'hardened' | undefined>();
    expectTypeOf<Config['rps']['api_address']>().toEqualTypeOf<HostPort | undefined>();
    expectTypeOf<Config['gossip']['bootstrapper']>().toEqualTypeOf<readonly HostPort[]>();
  });

  it('takes global options before the first section and under [global]', () => {
    expect(config('[nse]\nperiod = 5\n[global]\nnetwork = a').global.network).toBe('a');
    expect(config('[onion]\nprofile = hardened').global.profile).toBe('hardened');
    expect(problems('profile = spec\n[onion]\nprofile = hardened')).toEqual([
      `${FILE}:3: [onion] profile: is set in line 1 already`,
    ]);
  });

  it('leaves absolute paths alone', () => {
    const absolute = resolve('elsewhere', 'hostkey.pem');
    expect(config(`hostkey = '${absolute}'`).global.hostkey).toBe(absolute);
  });

  it('may come back to a section', () => {
    const { onion } = config('[onion]\nhops = 3\n[nse]\n[onion]\nround = 5');
    expect(onion).toMatchObject({ hops: 3, round: 5 });
  });
});

describe('an unknown name', () => {
  it.each([
    ['[onion]\nhop = 3', '[onion] has no option "hop"; it is ignored; did you mean hops?'],
    [
      '[gossip]\ncache size = 3',
      '[gossip] has no option "cache size"; it is ignored; did you mean cache_size?',
    ],
    [
      '[gossip]\nperiod = 3',
      '[gossip] has no option "period"; it is ignored; did you mean the one of [nse]?',
    ],
    ['[onion]\nhats = 3', '[onion] has no option "hats"; it is ignored'],
    ['\nconstructor = 3', '[global] has no option "constructor"; it is ignored'],
    ['\n[onoin]\nhops = 1', 'unknown section "onoin" is ignored; did you mean [onion]?'],
    ['\n[__proto__]\nhops = 1', 'unknown section "__proto__" is ignored'],
    ['\n[onion.hops]\nx = 1', 'unknown section "onion.hops" is ignored'],
    ['\n[a\x1b(B\u202e]', 'unknown section "a\\u{1b}(B\\u{202e}" is ignored'],
  ])('is a warning in %j', (text, warning) => {
    expect(warnings(text)).toEqual([`${FILE}:2: ${warning}`]);
  });

  it.each([
    ['[Onion]\nhops = 3', 1, '[onion] is written in lower case'],
    ['[onion]\nHops = 3', 2, '[onion] hops is written in lower case'],
  ])('in upper case is accepted with a warning in %j', (text, line, warning) => {
    expect(warnings(text)).toEqual([`${FILE}:${line}: ${warning}`]);
    expect(parseConfig(text, FILE).config.onion.hops).toBe(3);
  });
});

describe('a wrong value', () => {
  it.each([
    ['[onion]\nhops = 1', '[onion] hops: found "1", wanted a whole number from 2 to 10'],
    ['[onion]\nhops =', '[onion] hops: found nothing, wanted a whole number from 2 to 10'],
    ['[onion]\nhops = 1e1', 'found "1e1", wanted a whole number'],
    ['[onion]\nround = 4', 'found "4", wanted a whole number of seconds from 5 to 3600'],
    ['[onion]\nprofile = x', '[onion] profile: found "x", wanted spec or hardened'],
    ['[onion]\np2p_hostname = a:1', 'found "a:1", wanted a host name or an IP address'],
    ['[onion]\np2p_port = 0', 'found "0", wanted a whole number from 1 to 65535'],
    ['[rps]\napi_address = 2001:db8::1:6001', 'IPv6 stands in brackets'],
    ['[rps]\napi_address = 127.0.0.1:0', 'with a port from 1 to 65535'],
    ['[link]\nproxy = http://localhost:80', 'wanted socks5://HOST:PORT'],
    ['[link]\nproxy = socks5://u:p@localhost:80', 'wanted socks5://HOST:PORT'],
    ['[gossip]\nbootstrapper = a:1,', 'found "a:1,", wanted at most 64 of these'],
    [`[gossip]\nbootstrapper = ${'a:1,'.repeat(64)}a:1`, 'wanted at most 64 of these'],
    ['\nallow_private = maybe', 'found "maybe", wanted yes or no'],
    ['\nallow_private = constructor', 'found "constructor", wanted yes or no'],
    ['\nnetwork = a b', 'found "a b", wanted 1 to 64 letters'],
    ['\nhostkey =', '[global] hostkey: found nothing, wanted a path'],
    ['\nhostkey', 'found "hostkey", wanted [section], name = value, or a comment'],
    ['\nhostkey = "a', 'quotes enclose all of it'],
  ])('is an error in %j', (text, problem) => {
    expect(problems(text)).toEqual([expect.stringContaining(problem)]);
    expect(problems(text)).toEqual([expect.stringContaining(`${FILE}:2: `)]);
  });

  it('is told together with all the others', () => {
    const text = 'hops\n[nse]\nperiod = 0\nhistory = 2\nhistory = 3';
    expect(problems(text)).toHaveLength(3);
    expect(() => parseConfig(text, FILE)).toThrow(problems(text).join('\n'));
  });

  it('is shortened, and shown without what a terminal would obey', () => {
    const [problem = ''] = problems(`[onion]\nprofile = a\u202e${'b'.repeat(1000)}`);
    expect(problem).toContain('found "a\\u{202e}bbb');
    expect(problem.length).toBeLessThan(FILE.length + 200);
  });

  it('counts rather than lists what is wrong in a file of another kind', () => {
    const many = problems('x\n'.repeat(1000));
    expect(many).toHaveLength(21);
    expect(many.at(-1)).toBe('and 980 more like these');
  });
});

describe('hostile text', () => {
  const token = fc.constantFrom(
    ...['[onion]', '[', ']', 'hops', 'hostkey', '__proto__', '=', ' ', '"', "'", '\\', ';', '#'],
    ...['\n', '\r', '\0', '\uFEFF', '\u2028', 'true', 'null', '{"toString":1}', '[]', '1', ':'],
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(token, { maxLength: 40 }).map((tokens) => tokens.join('')),
  );

  it('makes a Config or a ConfigError, and no third thing', () => {
    fc.assert(
      fc.property(text, (hostile) => {
        const found = problems(hostile);
        if (found.length > 0) return;
        const { config } = parseConfig(hostile, FILE);
        expect(Object.keys(config)).toEqual(Object.keys(OPTIONS));
        expect(Object.getPrototypeOf(config.onion)).toBe(Object.prototype);
        expect(config.onion.round).toBe(300);
      }),
      fuzz({ runs: 2000 }),
    );
  });

  it.each([
    ['one long line', 'a'.repeat(256 << 10)],
    ['blanks', `a${' '.repeat(256 << 10)}`],
    ['an open bracket', `[${'a'.repeat(256 << 10)}`],
    ['lines of nothing known', 'x\n'.repeat(128 << 10)],
  ])('of the greatest size is refused: %s', (_what, hostile) => {
    expect(problems(hostile)).not.toEqual([]);
  });

  it('of the greatest size is warned about: unknown options', () => {
    expect(warnings('maxconection = 3\n'.repeat(15_000)).at(-1)).toBe('and 14980 more like these');
  });
});

describe('a configuration file on disk', () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'voidphone-config-'));
    file = join(folder, 'node.ini');
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('is read with its byte order mark, and paths start at its folder', async () => {
    await writeFile(file, '\uFEFFhostkey = hostkey.pem\r\n');
    const { config, warnings } = await readConfig(file);
    expect(config.global.hostkey).toBe(join(folder, 'hostkey.pem'));
    expect(warnings).toEqual([]);
  });

  it.each([
    ['too large', ';'.repeat((256 << 10) + 1)],
    ['is no UTF-8 text', Buffer.from('\uFEFFhops = 3', 'utf16le')],
  ])('is refused when it %s', async (fault, contents) => {
    await writeFile(file, contents);
    await expect(readConfig(file)).rejects.toThrow(new ConfigError([`${file}: ${fault}`]));
  });

  it('is refused when it is not there', async () => {
    await expect(readConfig(file)).rejects.toThrow(new ConfigError([`${file}: not found`]));
  });
});

describe('the table of options', () => {
  const all = Object.entries<Readonly<Record<string, Option>>>(OPTIONS).flatMap(([section, own]) =>
    Object.entries(own).map(([name, option]) => ({ section, name, option })),
  );

  it.each(all)('has a default that is accepted, and a sentence: $section.$name', ({ option }) => {
    if (option.default !== undefined) {
      expect(option.kind.parse(option.default, FILE)).toBeDefined();
    }
    expect(option.explanation).toMatch(/^[A-Z][^|]+\.$/);
  });

  it('is what docs/configuration.md says', () => {
    const path = join(import.meta.dirname, '../../docs/configuration.md');
    expect(
      readFileSync(path, 'utf8').replaceAll('\r\n', '\n') === configurationReference(),
      'out of date: npm run --silent voidphone -- help config > docs/configuration.md',
    ).toBe(true);
  });

  it('comes with an example that is accepted', () => {
    expect(config(EXAMPLE).onion.p2p_port).toBe(6301);
  });
});
