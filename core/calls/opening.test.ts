import { describe, expect, it } from 'vitest';
import { DecodeError } from '../bytes/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { Call } from './call.ts';
import { Channel } from './channel.ts';
import { type ControlMessage, partsOf } from './control.ts';
import { CalleeOpening, CallerOpening, type OpeningMessage } from './opening.ts';
import {
  CALL_ID,
  callOptions,
  handshakeOptions,
  type Kind,
  offerOf,
  PROVIDER,
  peerOf,
  person,
  ROUND,
  solve,
} from './testing/ends.ts';

const [ALICE, BOB, CAROL] = [person('alice'), person('bob'), person('carol')];

/** Both sides with keys, and nothing said under them. `as`: who really is at the other end. */
function keyed(kind: Kind) {
  const [toBob, toAlice] = [peerOf(BOB, kind), peerOf(ALICE, kind)];
  const call = Call.offer(callOptions(ALICE, toBob, 1), CALL_ID);
  const caller = new CallerOpening(handshakeOptions(ALICE, 1), toBob, CALL_ID);
  const nonce = caller.task && solve(caller.task);
  if (nonce) {
    caller.onWork(nonce);
    call.handle({ type: 'work done', nonce }, 0);
  }
  const callee = new CalleeOpening(handshakeOptions(BOB, 2), toAlice, offerOf(call), 'ringing');
  for (let i = 0; i < 3; i++) caller.onPiece(callee.nextFrame());
  return { caller, callee };
}

function say(to: CallerOpening | CalleeOpening, messages: readonly ControlMessage[]) {
  return messages.flatMap((message) => to.onMessage(message as OpeningMessage));
}

const WRONG_CONFIRM: ControlMessage = { type: 'confirm', random: new Uint8Array(16) };

describe('a caller between cards', () => {
  it('is proven by what it was bound to', () => {
    const { caller, callee } = keyed('card');
    expect(caller.sas).toBeDefined();
    expect(callee.sas).toBeUndefined();
    say(callee, caller.first());
    expect(callee.sas).toEqual(caller.sas);
  });

  it('is not proven by anything else: a man in the middle cannot choose r_c late (attack 14)', () => {
    const { caller, callee } = keyed('card');
    expect(() => say(callee, [WRONG_CONFIRM])).toThrow(DecodeError);
    expect(callee.sas).toBeUndefined();
    say(callee, caller.first());
    expect(() => say(callee, caller.first())).toThrow(DecodeError);
    expect(() => say(caller, caller.first())).toThrow(DecodeError);
  });
});

describe('people who know only hostkeys', () => {
  it('prove them: first the callee, then the caller', () => {
    const { caller, callee } = keyed('hostkey');
    expect([caller.sas, callee.sas]).toEqual([undefined, undefined]);
    say(callee, caller.first());
    expect(callee.sas).toBeUndefined();
    const proof = say(caller, callee.first());
    expect(proof.map(({ type }) => type)).toEqual(['part', 'part']);
    expect(caller.sas).toBeDefined();
    say(callee, proof);
    expect(callee.sas).toEqual(caller.sas);
  });

  it('say nothing of themselves to a callee who is another (attack 14: man in the middle)', () => {
    const { caller } = keyed('hostkey');
    const other = new Uint8Array(512);
    expect(() => say(caller, partsOf('proof', other))).toThrow('another hostkey');
    const { callee } = keyed('hostkey');
    const byCarol = partsOf('proof', CAROL.hostkey.sign('call-hostkey', new Uint8Array(16), other));
    expect(() => say(caller, byCarol)).toThrow(DecodeError);
    expect(caller.sas).toBeUndefined();
    expect(callee.sas).toBeUndefined();
  });

  it('do not take a proof that the other side made for itself, or of another call', () => {
    const { caller, callee } = keyed('hostkey');
    say(callee, caller.first());
    expect(() => say(callee, callee.first())).toThrow('another hostkey');
    const proof = say(caller, callee.first());
    const toBob = peerOf(BOB, 'hostkey');
    const options = { ...callOptions(ALICE, toBob, 1) };
    const call = Call.offer(options, CALL_ID);
    call.handle({ type: 'work done', nonce: solve(call.task ?? fail()) }, 0);
    const again = new CalleeOpening(
      handshakeOptions(BOB, 3),
      peerOf(ALICE, 'hostkey'),
      offerOf(call),
      'ringing',
    );
    say(again, caller.first());
    expect(() => say(again, proof)).toThrow('another hostkey');
    expect(again.sas).toBeUndefined();
  });

  it('do not take a proof before the caller has opened its commitment', () => {
    const { caller, callee } = keyed('hostkey');
    const proof = say(caller, callee.first());
    expect(() => say(callee, proof)).toThrow(DecodeError);
    expect(callee.sas).toBeUndefined();
  });
});

describe('a callee without proof', () => {
  /** Somebody in bob's place, who has keys with alice and says this. */
  function impostor(messages: readonly ControlMessage[]) {
    const call = Call.offer(callOptions(ALICE, peerOf(BOB, 'hostkey'), 1), CALL_ID);
    call.handle({ type: 'work done', nonce: solve(call.task ?? fail()) }, 0);
    const opening = new CalleeOpening(
      handshakeOptions(BOB, 2),
      peerOf(ALICE, 'hostkey'),
      offerOf(call),
      'ringing',
    );
    const channel = new Channel({ provider: PROVIDER, rng: new SeededRng(5), firstRound: ROUND });
    channel.start(opening.agreed.chain, ROUND);
    for (let i = 0; i < 3; i++) call.handle({ type: 'frame', frame: opening.nextFrame() }, 0);
    for (const message of messages) channel.send(message);
    const outputs = [];
    for (let ms = 20; ms < 12_000; ms += 20) {
      outputs.push(...call.handle({ type: 'audio', bytes: new Uint8Array(60) }, ms));
      const fields = [...channel.control(ms, 300), { name: 'media', data: MEDIA } as const];
      outputs.push(...call.handle({ type: 'frame', frame: channel.seal(fields) ?? fail() }, ms));
      const heard = channel.open(call.pull(ms) ?? PADDING, ms);
      outputs.push(
        ...heard.filter(({ name }) => name === 'media').map(({ name }) => ({ type: name })),
      );
      if (call.state === 'ending') break;
    }
    return outputs;
  }
  const MEDIA = Uint8Array.from([0, 0, 0, 0, 0, 1, 0, 1, 7]);
  const PADDING = new Uint8Array(480);

  it('hears no voice, is not heard, and gives no card; after 10 s it is over', () => {
    const outputs = impostor([{ type: 'answer' }]);
    expect(outputs.filter(({ type }) => type !== 'drop')).toEqual([
      { type: 'state', state: 'active', isWaiting: false },
      { type: 'state', state: 'ending', isWaiting: false },
      { type: 'ended', end: { reason: 'failed', by: 'nobody' } },
    ]);
    const withCard = impostor([{ type: 'answer' }, ...partsOf('card', new Uint8Array(300))]);
    expect(withCard.map(({ type }) => type)).not.toContain('card');
  });

  it('ends the call at once with a proof that is wrong', () => {
    const wrong = CAROL.hostkey.sign('call-hostkey', new Uint8Array(16), new Uint8Array(32));
    const outputs = impostor(partsOf('proof', wrong));
    expect(outputs.filter(({ type }) => type !== 'drop')).toEqual([
      { type: 'state', state: 'ending', isWaiting: false },
      { type: 'ended', end: { reason: 'failed', by: 'nobody' } },
    ]);
  });
});

function fail(): never {
  throw new Error('no task');
}
