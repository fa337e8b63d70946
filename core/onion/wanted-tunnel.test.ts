import { describe, expect, it } from 'vitest';
import type { ApiOutput, FailedRequest } from './api-port.ts';
import { INNER } from './inner.ts';
import {
  apiOf,
  at,
  closed,
  ELSEWHERE,
  moved,
  NOTHING,
  opened,
  openedAgain,
  ownTunnel,
  ROUND,
  ready,
  sends,
  THERE,
  tokenOf,
  waiting,
} from './testing/api.ts';

const DATA = Uint8Array.of(1, 2, 3);

function error(client: number, request: FailedRequest, tunnel = 0): ApiOutput {
  return { type: 'error', client, request, tunnel };
}

describe('an OPEN', () => {
  it('is said three times, and three times again', () => {
    const { api } = ready();
    for (const ms of [200, 600, 1500]) {
      expect(api.nextDeadlineMs()).toBe(ms);
      expect(api.onTick(at(ms - 0.1))).toEqual([]);
      expect(api.onTick(at(ms))).toEqual([openedAgain(101)]);
    }
    expect(api.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('is not said after the tunnel was destroyed: CLOSE is', () => {
    const { api, tunnel } = ready();
    expect(api.destroy(1, tunnel, at(100))).toEqual([closed(101)]);
    const again = sends(101, 'control', [
      [INNER.closeLogical, NOTHING],
      [INNER.probe, NOTHING],
    ]);
    expect(api.onTick(at(300))).toEqual([again]);
    expect([api.onTick(at(700)), api.onTick(at(1600))]).toEqual([[again], [again]]);
    expect(api.onTick(at(60_000))).toEqual([]);
  });

  it('gives way to data once the other end is heard, but for one', () => {
    const { api } = ready();
    api.onOwnMessage(101, { type: INNER.probeAck, data: NOTHING });
    expect(api.onTick(at(200))).toEqual([openedAgain(101)]);
    expect(api.onTick(at(600))).toEqual([openedAgain(101, undefined, 'idle')]);
  });

  it('is said on the next round’s circuit before its turn, and not again then', () => {
    const { api } = ready();
    // Until the other end is heard, it may not know of the tunnel at all.
    expect(api.onPrepared(ownTunnel(201, THERE, ROUND + 1), at(200_000))).toEqual([]);
    api.onOwnMessage(101, { type: INNER.probeAck, data: NOTHING });
    expect(api.onPrepared(ownTunnel(202, ELSEWHERE, ROUND + 1), at(240_000))).toEqual([]);
    const next = ownTunnel(203, THERE, ROUND + 1);
    expect(api.onPrepared(next, at(250_000))).toEqual([opened(203, tokenOf(101))]);
    api.onOwnMessage(203, { type: INNER.probeAck, data: NOTHING });
    const rebuilt = api.onCurrent(ownTunnel(104, THERE), at(260_000));
    expect(rebuilt).toEqual([opened(104, tokenOf(203)), moved(101, 104)]);
    expect(api.onCurrent(next, at(300_000))).toEqual([moved(104, 203)]);
  });

  it('is not said early for a tunnel that is not ready', () => {
    const api = apiOf();
    api.build(1, THERE, ROUND);
    expect(api.onPrepared(ownTunnel(101, THERE), at(0))).toEqual([]);
  });

  it('names the tunnel on its next circuit by the one before, if that was heard', () => {
    const { api } = ready();
    api.onOwnMessage(101, { type: INNER.probeAck, data: NOTHING });
    expect(api.onCurrent(ownTunnel(102, THERE), at(300_000))[0]).toEqual(opened(102, tokenOf(101)));
    // Nothing is heard on this one: perhaps its OPEN never came.
    expect(api.onCurrent(ownTunnel(103, THERE), at(310_000))[0]).toEqual(opened(103, tokenOf(101)));
    api.onOwnMessage(102, { type: INNER.data, data: DATA });
    api.onOwnMessage(101, { type: INNER.data, data: DATA });
    expect(api.onCurrent(ownTunnel(104, THERE), at(320_000))[0]).toEqual(opened(104, tokenOf(102)));
  });
});

describe('DESTROY of our tunnel', () => {
  it('ends it when all who asked have said so', () => {
    const { api, tunnel } = ready();
    api.build(2, THERE, ROUND);
    expect(api.destroy(1, tunnel, at(0))).toEqual([]);
    expect(api.data(1, tunnel, DATA)).toEqual([error(1, 'data', tunnel)]);
    expect(api.data(2, tunnel, DATA)).toHaveLength(1);
    expect(api.destroy(2, tunnel, at(0))).toEqual([closed(101)]);
    expect(api.destination(ROUND + 1)).toBeUndefined();
    expect(api.destroy(2, tunnel, at(0))).toEqual([error(2, 'destroy', tunnel)]);
    expect(api.onOwnMessage(101, { type: INNER.data, data: DATA })).toEqual([]);
  });

  it('is told on the next round’s circuit too, if that is open', () => {
    const { api, tunnel } = ready();
    api.onOwnMessage(101, { type: INNER.probeAck, data: NOTHING });
    api.onPrepared(ownTunnel(201, THERE, ROUND + 1), at(250_000));
    expect(api.destroy(1, tunnel, at(250_100))).toEqual([closed(101), closed(201)]);
  });

  it('without a circuit to say so is told by the next one there, in this round or the next', () => {
    for (const roundsEnd of [0, 1, 2]) {
      const { api, tunnel } = ready();
      api.onOwnMessage(101, { type: INNER.probeAck, data: NOTHING });
      api.onLost();
      expect(api.destroy(1, tunnel, at(0))).toEqual([waiting('forget data', 101)]);
      expect(api.counts.own).toBe('cover');
      for (let i = 0; i < roundsEnd; i++) expect(api.onRoundEnd(ROUND + i)).toEqual([]);
      const round = ROUND + roundsEnd;
      expect(api.destination(round)).toBe(roundsEnd < 2 ? THERE : undefined);
      expect(api.onCurrent(ownTunnel(102), at(1000))).toEqual([]);
      const outputs = api.onCurrent(ownTunnel(103, THERE, round), at(2000));
      expect(outputs).toEqual(roundsEnd < 2 ? [opened(103, tokenOf(101)), closed(103)] : []);
      expect(api.onCurrent(ownTunnel(104, THERE, round), at(3000))).toEqual([]);
      expect(api.destination(round + 1)).toBeUndefined();
    }
  });

  it('without a circuit, but for a prepared one, is told on that now and when its turn comes', () => {
    const { api, tunnel } = ready();
    api.onOwnMessage(101, { type: INNER.probeAck, data: NOTHING });
    const next = ownTunnel(201, THERE, ROUND + 1);
    api.onPrepared(next, at(250_000));
    api.onLost();
    expect(api.destroy(1, tunnel, at(260_000))).toEqual([waiting('forget data', 101), closed(201)]);
    expect(api.onCurrent(next, at(300_000))).toEqual([closed(201)]);
  });

  it('without a circuit is not told when somebody asks for a tunnel there again', () => {
    const { api, tunnel } = ready();
    api.onOwnMessage(101, { type: INNER.probeAck, data: NOTHING });
    api.onLost();
    api.destroy(1, tunnel, at(0));
    api.build(2, THERE, ROUND);
    expect(api.onCurrent(ownTunnel(102, THERE), at(0))[0]).toEqual(opened(102));
    api.removeClient(2, at(0));
    expect(api.onCurrent(ownTunnel(103, THERE), at(0))).toEqual([]);
  });

  it('is what a client does that goes away', () => {
    const { api } = ready();
    expect(api.removeClient(1, at(0))).toEqual([closed(101)]);
    expect(api.counts).toEqual({ incoming: 0, clients: 1, own: 'cover' });
  });

  it('by the other end is an error for all who have it', () => {
    const { api, tunnel } = ready();
    api.build(2, THERE, ROUND);
    expect(api.onOwnMessage(101, { type: INNER.closeLogical, data: NOTHING })).toEqual([
      error(1, 'data', tunnel),
      error(2, 'data', tunnel),
    ]);
    expect(api.onOwnMessage(101, { type: INNER.closeLogical, data: NOTHING })).toEqual([]);
    expect(api.onTick(at(60_000))).toEqual([]);
    expect(api.destination(ROUND + 1)).toBeUndefined();
  });
});
