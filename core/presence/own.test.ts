import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { chooseProvider } from '../crypto/index.ts';
import { realRng } from '../runtime/index.ts';
import { openStore } from '../store/index.ts';
import { optionsFor } from '../store/testing/options.ts';
import { OwnSecrets } from './own.ts';

const folder = mkdtempSync(join(tmpdir(), 'own-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const provider = chooseProvider();

describe('our own secrets', () => {
  it('are made once, and replaced only when somebody is shut out', async () => {
    const open = () => openStore(optionsFor(folder, { schemas: [] }));
    const store = await open();
    const own = new OwnSecrets({ settings: store.settings, provider, rng: realRng });
    const { contactKey, presenceSecret } = own;
    expect(contactKey.publicKey).toEqual(provider.x25519Public(contactKey.secretKey));
    own.rename('Alice');
    own.replacePresenceSecret();
    expect(own.presenceSecret).not.toEqual(presenceSecret);
    const replaced = own.presenceSecret;
    store.close();

    const again = await open();
    const same = new OwnSecrets({ settings: again.settings, provider, rng: realRng });
    expect([same.contactKey, same.presenceSecret]).toEqual([contactKey, replaced]);
    expect([same.presenceVersion, same.name]).toEqual([1, 'Alice']);
    expect(() => same.rename('x'.repeat(65))).toThrow('more than 64 bytes');
    again.settings.write({ name: 'presence.own', version: 1, decode: String }, 'damaged');
    expect(() => new OwnSecrets({ settings: again.settings, provider, rng: realRng })).toThrow(
      'the stored friend keys are damaged',
    );
    again.close();
  });
});
