import { describe, expect, it } from 'vitest';
import type { IdentityKey } from '../identity/index.ts';
import { ALICE, BOB } from '../link/testing/nodes.ts';
import { SeededRng } from '../runtime/index.ts';
import { DialBacks } from './dial-backs.ts';
import { Reachability } from './reachability.ts';
import { contactOfNumber, contacts } from './testing/contacts.ts';

const HERE = { ip: '20.1.1.1', port: 4000 };
const NONCE = new Uint8Array(16).fill(1);
const [B, C] = ['b', 'c'] as IdentityKey[] as [IdentityKey, IdentityKey];

function fresh(ip = HERE.ip): Reachability {
  return new Reachability(new SeededRng(1), { ip, port: HERE.port }, 0);
}

/** Asks `witness`, which sees us at `ip`; and somebody calls or does not. */
function ask(
  reach: Reachability,
  witness: IdentityKey,
  ip: string,
  isCalled: boolean,
  nowMs: number,
) {
  const nonce = reach.ask(witness, nowMs);
  if (nonce === undefined) throw new Error('it is not time');
  const seen = reach.onSeen(nonce, ip, nowMs + 100);
  const called = isCalled && reach.onCalled(nonce, nowMs + 200);
  const lost = reach.onTimer(nowMs + 8000);
  return seen || called || lost;
}

describe('whether others can reach us', () => {
  it('is known after one call to the address we were set up with', () => {
    const reach = fresh();
    expect(reach.reach).toBe('unknown');
    expect(ask(reach, B, HERE.ip, true, 0)).toBe(true);
    expect([reach.reach, reach.address]).toEqual(['reachable', HERE]);
    expect(reach.ask(B, 590_000)).toBeUndefined();
    expect(ask(reach, B, HERE.ip, true, 601_000)).toBe(false);
  });

  it('of another address needs two witnesses, since one may lie', () => {
    const reach = fresh('0.0.0.0');
    expect(ask(reach, B, HERE.ip, true, 0)).toBe(false);
    expect(ask(reach, B, HERE.ip, true, 10_000)).toBe(false);
    expect(reach.reach).toBe('unknown');
    expect(ask(reach, C, HERE.ip, true, 20_000)).toBe(true);
    expect(reach.address).toEqual(HERE);
  });

  it('is not believed without a call, with another nonce, or too late', () => {
    const reach = fresh();
    const nonce = reach.ask(B, 0) ?? NONCE;
    reach.onSeen(nonce, HERE.ip, 10);
    expect(reach.onCalled(NONCE, 20)).toBe(false);
    expect(reach.onCalled(nonce, 8000)).toBe(false);
    expect(reach.reach).toBe('unknown');
  });

  it('comes to "unreachable" when nobody calls three times, and is asked again', () => {
    const reach = fresh();
    expect(ask(reach, B, HERE.ip, false, 0)).toBe(false);
    expect(ask(reach, C, HERE.ip, false, 20_000)).toBe(false);
    expect(ask(reach, B, HERE.ip, false, 40_000)).toBe(true);
    expect(reach.reach).toBe('unreachable');
    expect(reach.ask(B, 100_000)).toBeUndefined();
    expect(ask(reach, B, HERE.ip, true, 110_000)).toBe(true);
    expect(reach.reach).toBe('reachable');
  });

  it('does not follow from witnesses that do nothing', () => {
    const reach = fresh();
    for (let i = 0; i < 10; i++) {
      const nonce = reach.ask(B, i * 20_000) ?? NONCE;
      reach.onSeen(nonce, undefined, i * 20_000 + 10);
      reach.onTimer(i * 20_000 + 9000);
    }
    expect(reach.reach).toBe('unknown');
  });
});

describe('calling for others', () => {
  const peer = { identity: ALICE.descriptor.identity, address: HERE, descriptor: ALICE.descriptor };
  const request = { type: 'ask', port: 4001, nonce: NONCE } as const;

  function dialBacks(live = contacts(0, 3), isPossible = () => true): DialBacks {
    return new DialBacks({ rng: new SeededRng(1), live: () => live, isPossible });
  }

  it('is passed on to a third node, with the address we see, and no other (attack 11)', () => {
    const favour = dialBacks().onAsk(peer, request, 0);
    expect(favour?.output).toMatchObject({
      type: 'call',
      message: { type: 'call', contact: { address: { ip: HERE.ip, port: 4001 } }, nonce: NONCE },
      isAnew: false,
    });
    expect(contacts(0, 3).map(({ key }) => key)).toContain(
      favour?.output.type === 'call' && favour.output.to.key,
    );
  });

  it('is done by ourselves when there is no third, and past any link', () => {
    expect(dialBacks([]).onAsk(peer, request, 0)?.output).toMatchObject({
      to: { address: { ip: HERE.ip, port: 4001 } },
      message: { type: 'called', nonce: NONCE },
      isAnew: true,
    });
  });

  it('is for few: two a minute for one, ten for all', () => {
    const some = dialBacks();
    const asked = [0, 1, 2].map((nowMs) => some.onAsk(peer, request, nowMs) !== undefined);
    expect(asked).toEqual([true, true, false]);
    const calls = Array.from({ length: 20 }, (_, i) => {
      const from = { ...peer, identity: contactOfNumber(i).identity };
      return some.onCall(from, { type: 'call', contact: contactOfNumber(99), nonce: NONCE }, 10);
    });
    expect(calls.filter((one) => one !== undefined)).toHaveLength(8);
  });

  it('never goes to an address that we would not call', () => {
    const call = { type: 'call', contact: contactOfNumber(1), nonce: NONCE } as const;
    const from = { ...peer, identity: BOB.descriptor.identity };
    expect(dialBacks([], () => false).onCall(from, call, 0)).toBeUndefined();
    expect(dialBacks().onAsk(peer, { ...request, port: 0 }, 0)).toBeUndefined();
  });
});
