import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DecodeError, decodeUtf8, utf8 } from '../bytes/index.ts';
import { parseConfig } from '../config/index.ts';
import { realRng, type Shape } from '../runtime/index.ts';
import { openStore } from '../store/index.ts';
import { optionsFor } from '../store/testing/options.ts';
import { keptIn, keptSchema } from './kept.ts';
import { placesOf } from './places.ts';

const folder = mkdtempSync(join(tmpdir(), 'node-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let profiles = 0;

function open(profile = join(folder, `${profiles++}`)) {
  return openStore(optionsFor(profile, { schemas: [keptSchema] }));
}

const WORD: Shape<string> = {
  bytesMax: 10,
  encode: utf8,
  decode(bytes) {
    if (bytes.length === 0) throw new DecodeError('empty');
    return decodeUtf8(bytes);
  },
};

describe('what modules keep in a profile', () => {
  it('is there after a restart', async () => {
    const profile = join(folder, 'kept');
    const first = await open(profile);
    const kept = keptIn(first, 'word', WORD, expect.unreachable);
    expect(kept.saved).toBeUndefined();
    kept.save('one');
    kept.save('two');
    first.close();
    const second = await open(profile);
    expect(keptIn(second, 'word', WORD, expect.unreachable).saved).toBe('two');
    second.close();
  });

  it('and was damaged is told, and made anew', async () => {
    const store = await open();
    keptIn(store, 'word', WORD, expect.unreachable).save('');
    let damaged = 0;
    expect(keptIn(store, 'word', WORD, () => damaged++).saved).toBeUndefined();
    expect(damaged).toBe(1);
    store.close();
  });
});

describe('where a node listens', () => {
  it('is drawn once where nothing is configured', async () => {
    const store = await open();
    const { config } = parseConfig('', 'test');
    const places = await placesOf(config, store.settings, realRng);
    expect(new Set(Object.values(places).map(({ port }) => port)).size).toBe(3);
    expect(await placesOf(config, store.settings, realRng)).toEqual(places);
    store.close();
  });

  it('is what the configuration says', async () => {
    const store = await open();
    const lines = [
      '[gossip]',
      'p2p_address = 192.0.2.1:1',
      '[onion]',
      'p2p_port = 3',
      '[dht]',
      'p2p_address = nowhere.invalid:2',
    ];
    const { config } = parseConfig(lines.join('\n'), 'test');
    await expect(placesOf(config, store.settings, realRng)).rejects.toThrow('nowhere.invalid');
    const { config: right } = parseConfig(lines.slice(0, 4).join('\n'), 'test');
    expect(await placesOf(right, store.settings, realRng)).toMatchObject({
      gossip: { ip: '192.0.2.1', port: 1 },
      onion: { ip: '0.0.0.0', port: 3 },
    });
    store.close();
  });
});
