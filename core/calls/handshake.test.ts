import { describe, expect, it } from 'vitest';
import { DecodeError } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { type CryptoProvider, NoiseHandshake } from '../crypto/index.ts';
import type { TestHostkeyName } from '../identity/testing/keys.ts';
import { SeededRng } from '../runtime/index.ts';
import { Assembly, decodePiece, encodePieces, FRAME_BYTES, isPiece } from './frame.ts';
import {
  CalleeHandshake,
  CallerHandshake,
  hintOf,
  keysLengths,
  OFFER_LENGTHS,
  opensCommit,
  type Peer,
} from './handshake.ts';
import { signProof, verifyProof } from './proof.ts';
import { sasOf } from './sas.ts';
import {
  CALL_ID,
  HINT,
  handshakeOptions,
  type Kind,
  NETWORK_ID,
  PROVIDER,
  peerOf,
  person,
  solve,
} from './testing/ends.ts';

const KINDS: readonly Kind[] = ['card', 'hostkey'];

function dial(
  kind: Kind,
  peer: Peer = peerOf(person('bob'), kind),
  own: TestHostkeyName = 'alice',
) {
  const caller = new CallerHandshake(handshakeOptions(person(own), 1), peer, CALL_ID);
  const nonce = caller.task && solve(caller.task);
  return { caller, offer: { callId: CALL_ID, ...caller.offer(nonce) } };
}

function answer(
  { offer }: Pick<ReturnType<typeof dial>, 'offer'>,
  peer: Peer,
  { own = 'bob', provider = PROVIDER }: { own?: TestHostkeyName; provider?: CryptoProvider } = {},
) {
  return new CalleeHandshake(handshakeOptions(person(own), 2, provider), peer, offer);
}

describe.each(KINDS)('a handshake between people who know a %s', (kind) => {
  const alice = peerOf(person('alice'), kind);

  it('gives both the same root, transcript and string, and the callee a commitment', () => {
    const dialled = dial(kind);
    expect(hintOf(dialled.offer)).toEqual(HINT);
    const callee = answer(dialled, alice);
    const answered = callee.answer('ringing');
    const finished = dialled.caller.finish(answered.bytes);
    expect(finished).toMatchObject({ state: 'ringing', capabilities: 0 });
    const { root, transcript, rCallee } = answered;
    expect([finished.root, finished.transcript, finished.rCallee]).toEqual([
      root,
      transcript,
      rCallee,
    ]);
    expect(opensCommit(callee.commit, dialled.caller.rCaller)).toBe(true);
    expect(opensCommit(callee.commit, new Uint8Array(16))).toBe(false);
  });

  it('fits the lengths that assemblies expect', () => {
    const dialled = dial(kind);
    const answered = answer(dialled, alice).answer('ringing');
    const lengths = new Map([...OFFER_LENGTHS, ...keysLengths(kind)]);
    for (const { message, bytes } of [dialled.offer, answered]) {
      expect(lengths.get(message)).toBe(bytes.length);
    }
    expect(encodePieces(CALL_ID, answered.message, answered.bytes)).toHaveLength(3);
  });

  it('fails for a callee who takes the caller for another: no unknown key share (attack 14)', () => {
    const dialled = dial(kind);
    expect(() => answer(dialled, peerOf(person('carol'), kind))).toThrow(DecodeError);
  });

  it('fails for a callee for whom it was not meant', () => {
    expect(() => answer(dial(kind), alice, { own: 'carol' })).toThrow(DecodeError);
  });

  it('fails in another round, network, call, and with another hint', () => {
    const dialled = dial(kind);
    const { offer } = dialled;
    const wrong: (() => unknown)[] = [
      () => answer(dialled, { ...alice, round: alice.round + 1 }).answer('ringing'),
      () => answer(dialled, { ...alice, hint: new Uint8Array(8) }).answer('ringing'),
      () => answer({ offer: { ...offer, callId: new Uint8Array(16) } }, alice).answer('ringing'),
      () => {
        const options = { ...handshakeOptions(person('bob'), 2), networkId: new Uint8Array(16) };
        return new CalleeHandshake(options, alice, offer).answer('ringing');
      },
    ];
    for (const attempt of wrong) expect(refused(dialled.caller, attempt)).toBe(true);
  });

  it('is refused with any byte of the answer changed, and goes on waiting for the real one', () => {
    const dialled = dial(kind);
    const { bytes } = answer(dialled, alice).answer('ringing');
    for (let at = 0; at < bytes.length; at += 101) {
      const changed = new Uint8Array(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => dialled.caller.finish(changed)).toThrow(DecodeError);
    }
    expect(() => dialled.caller.finish(bytes.subarray(1))).toThrow(DecodeError);
    expect(dialled.caller.finish(bytes).state).toBe('ringing');
  });

  it('cannot do without ML-KEM: no downgrade (attack 15)', () => {
    const dialled = dial(kind);
    const head = kind === 'card' ? 8 : 16;
    const { bytes, ...rest } = dialled.offer;
    const stripped = Uint8Array.of(
      ...bytes.subarray(0, head + 32),
      ...bytes.subarray(head + 32 + 1184),
    );
    expect(() => answer({ offer: { ...rest, bytes: stripped } }, alice).answer('ringing')).toThrow(
      DecodeError,
    );
    const plain = new Uint8Array(bytes);
    plain.fill(0xff, head + 32, head + 32 + 1184);
    expect(() => answer({ offer: { ...rest, bytes: plain } }, alice).answer('ringing')).toThrow(
      DecodeError,
    );
  });

  it('is not taken for the other kind', () => {
    const otherKind = kind === 'card' ? 'hostkey' : 'card';
    expect(() => answer(dial(kind), peerOf(person('alice'), otherKind))).toThrow(DecodeError);
  });

  it('survives hostile bytes on both sides', () => {
    const dialled = dial(kind);
    const offered = (bytes: Uint8Array) =>
      answer({ offer: { ...dialled.offer, bytes } }, alice).answer('ringing');
    survivesHostileBytes(offered, [dialled.offer.bytes], { runs: 50 });
    const { bytes } = answer(dialled, alice).answer('ringing');
    survivesHostileBytes((keys) => dial(kind).caller.finish(keys), [bytes], {
      runs: kind === 'card' ? 50 : 1,
    });
  });
});

/** Refused by the callee, or by the caller when it reads the answer. */
function refused(caller: CallerHandshake, attempt: () => unknown): boolean {
  try {
    const { bytes } = attempt() as { bytes: Uint8Array };
    caller.finish(bytes);
    return false;
  } catch (error) {
    return error instanceof DecodeError;
  }
}

/** How many Diffie-Hellman and ML-KEM operations are spent. */
function counting(): { provider: CryptoProvider; spent: () => number } {
  let spent = 0;
  const count =
    <A extends unknown[], R>(run: (...args: A) => R) =>
    (...args: A): R => {
      spent++;
      return run(...args);
    };
  const provider: CryptoProvider = {
    ...PROVIDER,
    x25519: count(PROVIDER.x25519.bind(PROVIDER)),
    x25519KeyPair: count(PROVIDER.x25519KeyPair.bind(PROVIDER)),
    kemEncapsulate: count(PROVIDER.kemEncapsulate.bind(PROVIDER)),
  };
  return { provider, spent: () => spent };
}

describe('what a callee spends', () => {
  it('is no Diffie-Hellman on somebody who does not have the psk', () => {
    const { provider, spent } = counting();
    const alice = peerOf(person('alice'));
    const wrongPsk = { ...alice, keys: { ...alice.keys, psk: new Uint8Array(32) } } as Peer;
    expect(() => answer(dial('card'), wrongPsk, { provider })).toThrow(DecodeError);
    expect(spent()).toBe(0);
    answer(dial('card'), alice, { provider });
    expect(spent()).toBe(2);
  });

  it('is no Diffie-Hellman on a hostkey’s caller without a proof of work', () => {
    const { provider, spent } = counting();
    const alice = peerOf(person('alice'), 'hostkey');
    const { offer } = dial('hostkey');
    const bytes = new Uint8Array(offer.bytes);
    bytes[15] = (bytes[15] ?? 0) ^ 1;
    expect(() => answer({ offer: { ...offer, bytes } }, alice, { provider })).toThrow('work');
    expect(spent()).toBe(0);
  });
});

describe('a caller with a stolen psk but not the friend’s key', () => {
  it('is refused at once', () => {
    const bob = peerOf(person('bob'));
    const options = handshakeOptions(person('carol'), 1);
    const posing = {
      ...options,
      own: { ...person('alice'), contactKey: person('carol').contactKey },
    };
    const caller = new CallerHandshake(posing, bob, CALL_ID);
    const offer = { callId: CALL_ID, ...caller.offer() };
    expect(() => answer({ offer }, peerOf(person('alice')))).toThrow(DecodeError);
  });
});

describe('key-compromise impersonation (attack 14)', () => {
  it('with the callee’s own stolen key brings an offer, but never the keys of the call', () => {
    // Mallory has bob's contact key and the psk: `ss` and `es` he can make, but `se` needs what alice alone has.
    const [alice, bob] = [person('alice'), person('bob')];
    const dialled = dial('card');
    const answered = answer(dialled, peerOf(alice)).answer('ringing');
    // He sees alice's OFFER and bob's KEYS pass, and has bob's static key: he cannot read KEYS as alice would.
    const mallory = new CallerHandshake(
      { ...handshakeOptions(alice, 1), own: { ...alice, contactKey: person('carol').contactKey } },
      peerOf(bob),
      CALL_ID,
    );
    expect(() => mallory.finish(answered.bytes)).toThrow(DecodeError);
    expect(dialled.caller.finish(answered.bytes).root).toEqual(answered.root);
  });
});

describe('the short authentication string', () => {
  it('is four characters and four pictures of the same twenty bits', () => {
    const [h, rc, rs] = [new Uint8Array(32), new Uint8Array(16), new Uint8Array(16).fill(1)];
    const sas = sasOf(h, rc, rs);
    expect(sas.pictures.every((picture) => picture >= 0 && picture < 32)).toBe(true);
    expect([...sas.text].map((c) => '0123456789abcdefghjkmnpqrstvwxyz'.indexOf(c))).toEqual(
      sas.pictures,
    );
    // SHA-256("VPv1/sas" 0x00, h, r_c, r_s) by another implementation.
    expect(sas.pictures).toEqual(SAS_VECTOR);
  });

  it('differs when somebody in the middle swapped the cards', () => {
    const mallory = peerOf(person('carol'));
    const toMallory = dial('card', mallory);
    const byMallory = answer(toMallory, peerOf(person('alice')), { own: 'carol' });
    const left = toMallory.caller.finish(byMallory.answer('ringing').bytes);
    const fromMallory = dial('card', peerOf(person('bob')), 'carol');
    const right = answer(fromMallory, mallory).answer('ringing');
    expect(left.transcript).not.toEqual(right.transcript);
    // He cannot choose r_c any more when he learns r_s.
    expect(sasOf(left.transcript, toMallory.caller.rCaller, left.rCallee)).not.toEqual(
      sasOf(right.transcript, fromMallory.caller.rCaller, right.rCallee),
    );
  });
});

describe('the proof of a hostkey', () => {
  const [alice, bob, carol] = [
    person('alice').hostkey,
    person('bob').hostkey,
    person('carol').hostkey,
  ];
  const over = {
    networkId: NETWORK_ID,
    transcript: new Uint8Array(32).fill(1),
    role: 'caller',
  } as const;
  const proof = signProof(alice, bob.identity, over);

  it('holds for the one call it was made in', () => {
    expect(verifyProof(alice.publicKey, bob.identity, over, proof)).toBe(true);
  });

  it('holds for nobody else, nobody else’s call, no other role, transcript or network', () => {
    const other = new Uint8Array(32).fill(2);
    expect([
      verifyProof(carol.publicKey, bob.identity, over, proof),
      verifyProof(alice.publicKey, carol.identity, over, proof),
      verifyProof(alice.publicKey, bob.identity, { ...over, role: 'callee' }, proof),
      verifyProof(alice.publicKey, bob.identity, { ...over, transcript: other }, proof),
      verifyProof(alice.publicKey, bob.identity, { ...over, networkId: new Uint8Array(16) }, proof),
      verifyProof(alice.publicKey, bob.identity, over, proof.subarray(1)),
    ]).toEqual([false, false, false, false, false, false]);
  });
});

describe('pieces', () => {
  const message = Uint8Array.from({ length: 1000 }, (_, i) => i % 250);
  const lengths = new Map([[1, 1000]]);

  it('come together in any order, twice or not, and begin anew for another call', () => {
    const pieces = encodePieces(CALL_ID, 1, message);
    expect(pieces.map((piece) => [piece.length, isPiece(piece)])).toEqual(
      [0, 1, 2].map(() => [FRAME_BYTES, true]),
    );
    const assembly = new Assembly(lengths);
    const [a, b, c] = pieces.map(decodePiece);
    if (!a || !b || !c) throw new Error('impossible');
    const foreign = { ...a, callId: new Uint8Array(16).fill(9) };
    const results = [c, a, foreign, a, b, b, c].map((piece) => assembly.push(piece)?.bytes);
    expect(results).toEqual([...new Array(6).fill(undefined), message]);
  });

  it('are refused out of turn, behind the end, and with something behind the message', () => {
    const [, , last] = encodePieces(CALL_ID, 1, message).map(decodePiece);
    if (!last) throw new Error('impossible');
    const assembly = new Assembly(lengths);
    expect(() => assembly.push({ ...last, message: 2 })).toThrow(DecodeError);
    expect(() => assembly.push({ ...last, index: 3 })).toThrow(DecodeError);
    const trailing = encodePieces(CALL_ID, 1, Uint8Array.of(...message, 1)).map(decodePiece);
    expect(() => trailing.map((piece) => assembly.push(piece))).toThrow(DecodeError);
  });
});

it('NXhfs lets nobody in between: both sides of a man in the middle have other transcripts', () => {
  const common = { pattern: 'NXhfs', provider: PROVIDER, prologue: new Uint8Array() } as const;
  const hashes = [1, 2].map((seed) => {
    const rng = new SeededRng(seed);
    const initiator = new NoiseHandshake({ ...common, role: 'initiator', rng });
    const staticKey = PROVIDER.x25519KeyPair(rng);
    const responder = new NoiseHandshake({ ...common, role: 'responder', rng, staticKey });
    responder.readMessage(initiator.writeMessage());
    initiator.readMessage(responder.writeMessage());
    return initiator.handshakeHash;
  });
  const [left, right] = hashes as [Uint8Array, Uint8Array];
  const over = { networkId: NETWORK_ID, role: 'callee' } as const;
  const { hostkey } = person('bob');
  const { identity } = person('alice').hostkey;
  const relayed = signProof(hostkey, identity, { ...over, transcript: right });
  expect(verifyProof(hostkey.publicKey, identity, { ...over, transcript: left }, relayed)).toBe(
    false,
  );
});

const SAS_VECTOR = [23, 5, 27, 16];
