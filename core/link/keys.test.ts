import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { KeyChain } from './keys.ts';

/** Computed with Python's hmac: ck 00 … 1f, first secret 64 times 0x11, second 32 times 0x22. */
const STEPS = [
  {
    secret: new Uint8Array(64).fill(0x11),
    initiators: 'b32b41f833aa6caa1a6b27c23f7dc1901b8babffcc15a4c37cc743e92280a435',
    responders: 'bad9f2dfa35815ffc4670ff8e8188087692f74148cac7a3fd3bb710a0d25580e',
  },
  {
    secret: new Uint8Array(32).fill(0x22),
    initiators: '18e803d353785ca5ca96e5095fc9cd994f2017107c1b41e8bb5011f905a50d22',
    responders: 'c733f680ae587fc128bcdc45714285dcdd66cef98107188cc7ebfabb5b314c88',
  },
];

function chain(role: 'initiator' | 'responder'): KeyChain {
  return new KeyChain(
    role,
    Uint8Array.from({ length: 32 }, (_, i) => i),
  );
}

describe('the key chain', () => {
  it('derives what its header says, crosswise for the two sides', () => {
    let [ours, theirs] = [chain('initiator'), chain('responder')];
    for (const { secret, initiators, responders } of STEPS) {
      const [a, b] = [ours.next(secret), theirs.next(secret)];
      expect([a.keys.sendKey, a.keys.receiveKey].map(toHex)).toEqual([initiators, responders]);
      expect([b.keys.sendKey, b.keys.receiveKey].map(toHex)).toEqual([responders, initiators]);
      [ours, theirs] = [a.chain, b.chain];
    }
  });

  it('can take a step again', () => {
    const start = chain('initiator');
    const secret = new Uint8Array(32);
    expect(start.next(secret).keys).toEqual(start.next(secret).keys);
  });

  it('leads elsewhere once it is wiped', () => {
    const [wiped, whole] = [chain('initiator'), chain('initiator')];
    wiped.wipe();
    const secret = new Uint8Array(32);
    expect(wiped.next(secret).keys).not.toEqual(whole.next(secret).keys);
  });
});
