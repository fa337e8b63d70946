import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes/index.ts';
import { NETWORK_ID_BYTES } from '../crypto/index.ts';
import { PURPOSES } from '../crypto/labels.ts';
import { verifySigned } from './hostkey.ts';
import { testHostkey } from './testing/keys.ts';

const NETWORK = new Uint8Array(NETWORK_ID_BYTES).fill(1);
const OTHER_NETWORK = new Uint8Array(NETWORK_ID_BYTES).fill(2);
const alice = testHostkey('alice');

describe('signatures (attack 18: key confusion across purposes)', () => {
  const body = utf8('the same bytes, signed for everything there is');
  const signatures = new Map(
    PURPOSES.map((purpose) => [purpose, alice.sign(purpose, NETWORK, body)]),
  );

  it('hold for the purpose they were made for, and for no other', () => {
    const holds = PURPOSES.flatMap((made) =>
      PURPOSES.filter((claimed) => {
        const signature = signatures.get(made) ?? new Uint8Array();
        const signed = { purpose: claimed, networkId: NETWORK, body, signature };
        return verifySigned(alice.publicKey, signed);
      }).map((claimed) => `${made} as ${claimed}`),
    );
    expect(holds).toEqual(PURPOSES.map((purpose) => `${purpose} as ${purpose}`));
  });

  it('hold in their own network only', () => {
    const signature = signatures.get('desc') ?? new Uint8Array();
    const signed = { purpose: 'desc', networkId: OTHER_NETWORK, body, signature } as const;
    expect(verifySigned(alice.publicKey, signed)).toBe(false);
  });

  it('do not hold when bytes move between purpose, network and body', () => {
    const made = alice.sign('desc', NETWORK, utf8('-compact'));
    const signed = {
      purpose: 'desc-compact',
      networkId: NETWORK,
      body: utf8(''),
      signature: made,
    } as const;
    expect(verifySigned(alice.publicKey, signed)).toBe(false);
  });
});
