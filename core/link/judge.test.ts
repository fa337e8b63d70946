import { describe, expect, it } from 'vitest';
import { Bans } from './bans.ts';
import { PROOF_RETRY_MS, Proofs } from './proofs.ts';
import { ALICE } from './testing/nodes.ts';

const peer = ALICE.descriptor;

describe('proofs of work', () => {
  it('are checked five times a second at most, whoever asks, and known afterwards', () => {
    let checked = 0;
    const proofs = new Proofs(() => checked++ >= 0);
    const peers = Array.from({ length: 30 }, (_, powEpoch) => ({ ...peer, powEpoch }));
    const answers = peers.map((one) => proofs.check(one, 0));
    expect(answers.filter((answer) => answer === 'proven')).toHaveLength(5);
    expect(answers.filter((answer) => answer === 'later')).toHaveLength(25);
    for (let nowMs = 0; nowMs <= 5000; nowMs += PROOF_RETRY_MS) {
      for (const one of peers) proofs.check(one, nowMs);
    }
    expect(checked).toBe(30);
    expect(peers.map((one) => proofs.check(one, 5000))).toEqual(Array(30).fill('proven'));
    expect(checked).toBe(30);
  });

  it('that are missing are not remembered as there', () => {
    const proofs = new Proofs(() => false);
    expect(proofs.check(peer, 0)).toBe('unproven');
    expect(proofs.check(peer, 1)).toBe('unproven');
  });
});

describe('bans', () => {
  it('of an identity last an hour, of an address ten minutes', () => {
    const bans = new Bans();
    const address = { ip: '20.0.0.1', port: 4000 };
    bans.banIdentity(peer.identity, 0);
    bans.banAddress(address, 0);
    expect(bans.hasIdentity(peer.identity, 3_599_999)).toBe(true);
    expect(bans.hasIdentity(peer.identity, 3_600_000)).toBe(false);
    expect(bans.hasAddress(address, 599_999)).toBe(true);
    expect(bans.hasAddress({ ...address, port: 4001 }, 0)).toBe(false);
    expect(bans.hasAddress(address, 600_000)).toBe(false);
    expect(bans.size).toBe(0);
  });

  it('are bounded, and the oldest is forgotten first', () => {
    const bans = new Bans();
    for (let port = 0; port < 5000; port++) bans.banAddress({ ip: '20.0.0.1', port }, port);
    expect(bans.size).toBe(4096);
    expect(bans.hasAddress({ ip: '20.0.0.1', port: 4999 }, 5000)).toBe(true);
    expect(bans.hasAddress({ ip: '20.0.0.1', port: 0 }, 5000)).toBe(false);
  });
});
