import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { FIELDS_BYTES } from './frame.ts';
import { KeyChain, OLD_EPOCH_MS, Sealing } from './sealing.ts';
import { PROVIDER } from './testing/ends.ts';

function ends(framesMax?: number) {
  const [caller, callee] = (['caller', 'callee'] as const).map((role) => {
    const chain = new KeyChain(role, new Uint8Array(32).fill(1));
    const sealing = new Sealing(PROVIDER, framesMax);
    sealing.install(0, chain.keys);
    return { chain, sealing };
  });
  if (!caller || !callee) throw new Error('impossible');
  return { caller, callee };
}

const FIELDS = new Uint8Array(FIELDS_BYTES).fill(7);

function sealed({ sealing }: { sealing: Sealing }): Uint8Array {
  const frame = sealing.seal(FIELDS);
  if (frame === undefined) throw new Error('no frame');
  return frame;
}

describe('the key chain', () => {
  it('gives both the same keys, crosswise, and others in every epoch', () => {
    const { caller, callee } = ends();
    const seen = new Set<string>();
    for (let epoch = 0; epoch < 3; epoch++) {
      expect(caller.chain.keys.send).toEqual(callee.chain.keys.receive);
      expect(caller.chain.keys.receive).toEqual(callee.chain.keys.send);
      for (const key of Object.values(caller.chain.keys)) seen.add(toHex(key));
      for (const { chain } of [caller, callee]) chain.advance(new Uint8Array(32).fill(epoch));
    }
    expect(seen.size).toBe(6);
  });

  it('derives what it always derived: a change here is another protocol', () => {
    const { caller } = ends();
    const first = toHex(caller.chain.keys.send.subarray(0, 8));
    caller.chain.advance(new Uint8Array(32).fill(2));
    expect([first, toHex(caller.chain.keys.send.subarray(0, 8))]).toEqual(VECTORS);
  });

  it('depends on the shared secret and on all before it', () => {
    const [a, b, c] = [ends().caller.chain, ends().caller.chain, ends().caller.chain];
    a.advance(new Uint8Array(32).fill(1));
    b.advance(new Uint8Array(32).fill(2));
    expect(a.keys.send).not.toEqual(b.keys.send);
    c.advance(new Uint8Array(32).fill(2));
    b.advance(new Uint8Array(32).fill(3));
    c.advance(new Uint8Array(32).fill(3));
    expect(b.keys.send).toEqual(c.keys.send);
    a.advance(new Uint8Array(32).fill(3));
    expect(a.keys.send).not.toEqual(c.keys.send);
  });
});

describe('sealed frames', () => {
  it('open at the other end, once, in any order', () => {
    const { caller, callee } = ends();
    const frames = [sealed(caller), sealed(caller), sealed(caller)];
    for (const i of [2, 0, 1]) {
      const opened = callee.sealing.open(frames[i] as Uint8Array, 0);
      expect(opened).toEqual({ type: 'ok', fields: FIELDS });
    }
    expect(callee.sealing.open(frames[0] as Uint8Array, 0)).toMatchObject({ why: 'replayed' });
  });

  it('open nowhere else: not at their own end, not changed in any byte', () => {
    const { caller, callee } = ends();
    const frame = sealed(caller);
    expect(caller.sealing.open(frame, 0)).toMatchObject({ why: 'forged' });
    for (let at = 0; at < frame.length; at += 7) {
      const changed = new Uint8Array(frame);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(callee.sealing.open(changed, 0).type).toBe('refused');
    }
    expect(callee.sealing.open(frame, 0).type).toBe('ok');
  });

  it('are made with no key more often than allowed', () => {
    const { caller } = ends(3);
    expect([1, 2, 3, 4].map(() => caller.sealing.seal(FIELDS) !== undefined)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('never have the same nonce under the same key: seq begins anew only with an epoch', () => {
    const { caller } = ends();
    const heads = [0, 1].flatMap((epoch) => {
      if (epoch > 0) {
        caller.chain.advance(new Uint8Array(32));
        caller.sealing.install(1, caller.chain.keys);
        caller.sealing.sendIn(1);
      }
      return [0, 1].map(() => toHex(sealed(caller).subarray(0, 8)));
    });
    expect(heads).toEqual([
      '0000000000000000',
      '0000000000000001',
      '0001000000000000',
      '0001000000000001',
    ]);
  });
});

describe('an old epoch', () => {
  function switched() {
    const both = ends();
    const old = [sealed(both.caller), sealed(both.caller), sealed(both.caller)] as const;
    for (const { chain, sealing } of [both.caller, both.callee]) {
      chain.advance(new Uint8Array(32).fill(9));
      sealing.install(1, chain.keys);
    }
    return { ...both, old };
  }

  it('is taken until 2 s after the new one was heard', () => {
    const { caller, callee, old } = switched();
    expect(callee.sealing.open(old[0], 60_000).type).toBe('ok');
    caller.sealing.sendIn(1);
    callee.sealing.open(sealed(caller), 60_000);
    expect(callee.sealing.open(old[1], 60_000 + OLD_EPOCH_MS - 1).type).toBe('ok');
    const late = callee.sealing.open(old[2], 60_000 + OLD_EPOCH_MS);
    expect(late).toMatchObject({ why: 'unknown epoch' });
  });

  it('is what is sent in until the peer was heard in the new one', () => {
    const { caller, callee } = switched();
    expect(callee.sealing.epoch).toBe(0);
    caller.sealing.sendIn(1);
    callee.sealing.open(sealed(caller), 0);
    expect(callee.sealing.epoch).toBe(1);
    callee.sealing.sendIn(0);
    expect(callee.sealing.epoch).toBe(1);
  });

  it('is not ended by a forged frame of the new one', () => {
    const { callee, old } = switched();
    const forged = new Uint8Array(480);
    forged[1] = 1;
    expect(callee.sealing.open(forged, 0)).toMatchObject({ why: 'forged' });
    expect(callee.sealing.open(old[0], 60_000).type).toBe('ok');
    expect(callee.sealing.epoch).toBe(0);
  });
});

/** Made by another implementation of HKDF. */
const VECTORS = ['17fdf889744ca21d', '3f418bbbd82c90b1'];
