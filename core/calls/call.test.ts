import { describe, expect, it } from 'vitest';
import { AWFUL, Line, ROUND, SLOT_MS } from './testing/ends.ts';
import { ToneSink, ToneSource } from './testing/tone.ts';

describe.each(['card', 'hostkey'] as const)('a call between people who know a %s', (kind) => {
  it('rings, is answered, and shows both the same string', () => {
    const line = new Line({ kind }).answered();
    expect(line.ends.map(({ state }) => state)).toEqual(['active', 'active']);
    const [ours, theirs] = line.ends.map((end) => end.of('confirmed'));
    expect(ours).toHaveLength(1);
    expect(ours).toEqual(theirs);
    expect(ours?.[0]?.sas.text).toMatch(/^[0-9a-hjkmnp-tv-z]{4}$/);
  });

  it('ends for both with the same word', () => {
    const line = new Line({ kind }).answered();
    line.command(line.bob, 'hang up');
    line.run(2000);
    expect(line.caller.end).toEqual({ reason: 'completed', by: 'them' });
    expect(line.bob.end).toEqual({ reason: 'completed', by: 'us' });
    expect(line.run(12_000).ends.map(({ state }) => state)).toEqual(['over', 'over']);
    expect(line.ends.map(({ call }) => call.pull(line.nowMs))).toEqual([undefined, undefined]);
  });

  it('comes about over an awful network', () => {
    const line = new Line({ kind, network: AWFUL, seed: 3 }).answered();
    expect(line.ends.map(({ state }) => state)).toEqual(['active', 'active']);
    expect(line.run(3000).ends.map((end) => end.of('confirmed').length)).toEqual([1, 1]);
  });
});

describe('cards', () => {
  it('are handed over by people who know only hostkeys, once the call is answered', () => {
    const line = new Line({ kind: 'hostkey' });
    line.run(10_000);
    expect(line.ends.map((end) => end.of('card').length)).toEqual([0, 0]);
    line.answered().run(3000);
    expect(line.ends.map((end) => end.of('card').map(({ card }) => card.length))).toEqual([
      [1193],
      [1193],
    ]);
  });

  it('are not handed to friends who have them', () => {
    const line = new Line().answered().run(3000);
    expect(line.ends.flatMap((end) => end.of('card'))).toEqual([]);
  });
});

describe('new keys at a switch of rounds', () => {
  it('are agreed on when both begin at once, one begins later, or only one begins', () => {
    for (const offsetMs of [0, 40, 3000, Number.POSITIVE_INFINITY]) {
      const line = new Line({ network: AWFUL }).answered();
      line.caller.handle({ type: 'round', round: ROUND + 1 }, line.nowMs);
      line.run(Math.min(offsetMs, 5000));
      if (offsetMs < 5000) line.bob.handle({ type: 'round', round: ROUND + 1 }, line.nowMs);
      line.run(5000);
      expect(line.ends.map(({ call, state }) => [call.epoch, state])).toEqual([
        [1, 'active'],
        [1, 'active'],
      ]);
    }
  });

  it('come round after round and never stop the voice', () => {
    const line = new Line().answered();
    for (let round = 1; round <= 5; round++) {
      for (const end of line.ends) end.handle({ type: 'round', round: ROUND + round }, line.nowMs);
      for (let i = 0; i < 100; i++) {
        line.caller.handle({ type: 'audio', bytes: Uint8Array.of(i) }, line.nowMs);
        line.slot();
      }
    }
    line.run(1000);
    expect(line.ends.map(({ call }) => call.epoch)).toEqual([5, 5]);
    const heard = line.bob
      .of('audio')
      .flatMap(({ frames }) => frames.map(({ frameNo }) => frameNo));
    expect(heard).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });
});

describe('a tone', () => {
  /** Both talk for that long, with a switch of rounds every 20 s; what each has heard of the other. */
  function talk(line: Line, ms: number): ToneSink[] {
    const sides = line.ends.map((end) => ({ end, source: new ToneSource(), sink: new ToneSink() }));
    for (let slot = 0; slot < ms / SLOT_MS; slot++) {
      const round = slot % 1000 === 999 ? ROUND + Math.ceil(slot / 1000) : undefined;
      for (const { end, source } of sides) {
        if (round) end.handle({ type: 'round', round }, line.nowMs);
        end.handle({ type: 'audio', bytes: source.next() }, line.nowMs);
      }
      line.slot();
    }
    line.run(500);
    for (const { end, sink } of sides) {
      const other = line.ends.find((one) => one !== end);
      for (const { frames } of other?.of('audio') ?? []) sink.hear(frames);
    }
    return sides.map(({ sink }) => sink);
  }

  it('goes both ways for a minute, through three switches of rounds, without a gap', () => {
    const line = new Line().answered();
    for (const sink of talk(line, 60_000)) expect([sink.wrong, sink.share(3000)]).toEqual([0, 1]);
    expect(line.ends.map(({ call }) => call.epoch)).toEqual([3, 3]);
    expect(line.caller.of('report').at(-1)?.rttMs).toBeCloseTo(140, -2);
  });

  it('is hardly disturbed where 30 % are lost, and never wrong', () => {
    const line = new Line({ network: AWFUL }).answered().run(3000);
    for (const sink of talk(line, 60_000)) {
      expect(sink.wrong).toBe(0);
      expect(sink.share(3000)).toBeGreaterThan(0.97);
    }
  });

  it('is silent on hold', () => {
    const line = new Line().answered();
    line.command(line.bob, 'hold');
    line.run(500);
    expect(talk(line, 1000).map((sink) => sink.share(50))).toEqual([0, 0]);
  });
});

describe('when nothing is heard', () => {
  it('goes on after a cut of 8 s', () => {
    const line = new Line().answered();
    for (const end of line.ends) end.linked = false;
    line.run(8000);
    for (const end of line.ends) end.linked = true;
    line.run(2000);
    expect(line.ends.map(({ state }) => state)).toEqual(['active', 'active']);
    expect(line.ends.flatMap((end) => end.of('reconnect'))).toEqual([]);
  });

  it('reconnects over a new tunnel, which the caller asks for', () => {
    const line = new Line().answered();
    for (const end of line.ends) end.linked = false;
    line.caller.handle({ type: 'unlinked' }, line.nowMs);
    line.run(15_000);
    expect(line.ends.map(({ state }) => state)).toEqual(['reconnecting', 'reconnecting']);
    expect(line.ends.map((end) => end.of('reconnect').length)).toEqual([1, 0]);
    for (const end of line.ends) {
      end.linked = true;
      end.handle({ type: 'linked' }, line.nowMs);
    }
    line.run(1000);
    expect(line.ends.map(({ state }) => state)).toEqual(['active', 'active']);
  });

  it('ends after 30 s more, on both sides with the same word', () => {
    const line = new Line().answered();
    line.network = { ...line.network, loss: 1 };
    line.run(41_000);
    const lost = { reason: 'connection lost', by: 'nobody' };
    expect(line.ends.map(({ end }) => end)).toEqual([lost, lost]);
  });

  it('comes back to where it was on hold', () => {
    const line = new Line().answered();
    line.command(line.caller, 'hold');
    line.run(1000);
    expect(line.ends.map(({ state }) => state)).toEqual(['holding', 'held']);
    for (const end of line.ends) end.handle({ type: 'unlinked' }, line.nowMs);
    for (const end of line.ends) end.handle({ type: 'linked' }, line.nowMs);
    line.run(1000);
    expect(line.ends.map(({ state }) => state)).toEqual(['holding', 'held']);
    line.command(line.caller, 'resume');
    line.run(1000);
    expect(line.ends.map(({ state }) => state)).toEqual(['active', 'active']);
  });
});

describe('a callee', () => {
  it('stops ringing when nobody confirms the offer: it was repeated (attack 27, ghost ringing)', () => {
    const line = new Line();
    line.run(5000, () => line.callee !== undefined);
    line.caller.linked = false;
    line.run(4000);
    expect(line.bob.state).toBe('incoming');
    line.run(1500);
    expect(line.bob.state).toBe('over');
    expect(line.bob.end).toEqual({ reason: 'failed', by: 'nobody' });
  });

  it('is not told of a caller without proof of its hostkey', () => {
    const line = new Line({ kind: 'hostkey' });
    line.run(5000, () => line.callee !== undefined);
    line.caller.linked = false;
    line.run(12_000);
    expect(line.bob.state).toBe('over');
    expect(line.bob.of('proven')).toEqual([]);
    expect(line.bob.of('confirmed')).toEqual([]);
  });

  it('can be waiting, and the caller sees it', () => {
    const line = new Line({ state: 'waiting' });
    line.run(3000);
    expect(line.caller.call).toMatchObject({ state: 'ringing', isWaiting: true });
    line.bob.handle({ type: 'waiting', isWaiting: false }, line.nowMs);
    line.run(1000);
    expect(line.caller.call).toMatchObject({ state: 'ringing', isWaiting: false });
  });
});

describe('frames', () => {
  it('has one in every slot, of one size, whatever happens', () => {
    const line = new Line();
    const seen = new Set<number | undefined>();
    for (let i = 0; i < 500; i++) {
      line.slot();
      if (i === 200) line.command(line.bob, 'answer');
      for (const end of line.ends) seen.add(end.call.pull(line.nowMs)?.length);
    }
    expect([...seen]).toEqual([480]);
    expect(line.nowMs).toBe(500 * SLOT_MS);
  });

  it('drops whatever is not the peer’s, without harm', () => {
    const line = new Line().answered();
    for (const length of [0, 1, 479, 480, 481]) {
      for (const fill of [0, 0xff]) {
        line.bob.handle({ type: 'frame', frame: new Uint8Array(length).fill(fill) }, line.nowMs);
      }
    }
    expect(line.bob.of('drop').length).toBeGreaterThan(5);
    expect(line.run(1000).bob.state).toBe('active');
  });
});
