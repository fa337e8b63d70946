import { describe, expect, it } from 'vitest';
import type { ApiOutput, FailedRequest } from './api-port.ts';
import type { ApiTunnels } from './api-tunnels.ts';
import { INNER } from './inner.ts';
import {
  apiOf,
  at,
  ELSEWHERE,
  openOf,
  ownTunnel,
  sends,
  sent,
  THERE,
  tokenOf,
  US,
} from './testing/api.ts';

const ROUND = 7;
const NOTHING = new Uint8Array();
const DATA = Uint8Array.of(1, 2, 3);

function error(client: number, request: FailedRequest, tunnel = 0): ApiOutput {
  return { type: 'error', client, request, tunnel };
}

/** The first time that it is said, and each later time. */
function opened(circuit: number, token?: Uint8Array): ApiOutput {
  const open = [INNER.open, openOf(token)] as const;
  return sends(circuit, 'control', [open, open, open, [INNER.probe, NOTHING]]);
}

function openedAgain(circuit: number, token?: Uint8Array): ApiOutput {
  return sends(circuit, 'control', [
    [INNER.open, openOf(token)],
    [INNER.probe, NOTHING],
  ]);
}

function closed(circuit: number): ApiOutput {
  const close = [INNER.closeLogical, NOTHING] as const;
  return sends(circuit, 'control', [close, close, close, [INNER.probe, NOTHING]]);
}

/** With a tunnel that client 1 has asked for, and its number. */
function ready(): { api: ApiTunnels; tunnel: number } {
  const api = apiOf();
  api.build(1, THERE, ROUND);
  const outputs = api.onCurrent(ownTunnel(101, THERE), at(0));
  const [last] = outputs.slice(-1);
  return { api, tunnel: last?.type === 'ready' ? last.tunnel : 0 };
}

describe('a BUILD', () => {
  it('takes effect with the round, and the one who asked is told', () => {
    const api = apiOf();
    expect(api.build(1, THERE, ROUND)).toEqual([]);
    expect([ROUND - 1, ROUND, ROUND + 1].map((round) => api.destination(round))).toEqual([
      undefined,
      THERE,
      THERE,
    ]);
    expect(api.counts).toEqual({ incoming: 0, clients: 2, own: 'wanted' });
    expect(api.onCurrent(ownTunnel(101, undefined), at(0))).toEqual([]);
    const outputs = api.onCurrent(ownTunnel(102, THERE), at(1000));
    const tunnel = expect.any(Number);
    expect(outputs).toEqual([
      opened(102),
      { type: 'ready', client: 1, tunnel, destination: THERE },
    ]);
    expect(outputs[1]).not.toMatchObject({ tunnel: 0 });
    expect(api.counts.own).toBe('ready');
  });

  it('of a second client for the same destination shares the tunnel', () => {
    const api = apiOf();
    api.build(1, THERE, ROUND);
    expect(api.build(2, THERE, ROUND)).toEqual([]);
    const outputs = api.onCurrent(ownTunnel(101, THERE), at(0));
    const tunnel = outputs[1]?.type === 'ready' ? outputs[1].tunnel : 0;
    expect(outputs.slice(1)).toEqual([
      { type: 'ready', client: 1, tunnel, destination: THERE },
      { type: 'ready', client: 2, tunnel, destination: THERE },
    ]);
    api.addClient(3);
    expect(api.build(3, THERE, ROUND + 1)).toEqual([
      { type: 'ready', client: 3, tunnel, destination: THERE },
    ]);
  });

  it('for another destination is refused, also when the tunnel stands', () => {
    const api = apiOf();
    api.build(1, THERE, ROUND);
    expect(api.build(2, ELSEWHERE, ROUND)).toEqual([error(2, 'build')]);
    api.onCurrent(ownTunnel(101, THERE), at(0));
    expect(api.build(2, ELSEWHERE, ROUND)).toEqual([error(2, 'build')]);
    expect(api.destination(ROUND + 1)).toBe(THERE);
  });

  it('to ourselves is refused', () => {
    const api = apiOf();
    expect(api.build(1, US, ROUND)).toEqual([error(1, 'build')]);
    expect(api.destination(ROUND)).toBeUndefined();
  });

  it('fails at the end of its round when there was no tunnel', () => {
    const api = apiOf();
    api.build(1, THERE, ROUND);
    api.build(2, THERE, ROUND);
    expect(api.onRoundEnd(ROUND - 1)).toEqual([]);
    expect(api.onRoundEnd(ROUND)).toEqual([error(1, 'build'), error(2, 'build')]);
    expect(api.onRoundEnd(ROUND + 1)).toEqual([]);
    expect(api.destination(ROUND + 1)).toBeUndefined();
    expect(api.build(1, ELSEWHERE, ROUND + 2)).toEqual([]);
  });

  it('does not fail once the tunnel has stood', () => {
    const { api } = ready();
    api.onLost();
    expect(api.onRoundEnd(ROUND)).toEqual([]);
    // Whatever the clock says.
    for (const round of [ROUND - 50, ROUND + 1]) expect(api.destination(round)).toBe(THERE);
  });

  it('is not put off by a clock that is set back', () => {
    const api = apiOf();
    api.build(1, THERE, ROUND);
    api.onRoundsBack(ROUND - 100);
    expect(api.destination(ROUND - 100)).toBe(THERE);
    api.onRoundsBack(ROUND + 5);
    expect(api.destination(ROUND - 100)).toBe(THERE);
  });

  it('is over when all who asked have gone', () => {
    const api = apiOf();
    api.build(1, THERE, ROUND);
    api.build(2, THERE, ROUND);
    expect(api.removeClient(1, at(0))).toEqual([]);
    expect(api.destination(ROUND)).toBe(THERE);
    expect(api.removeClient(2, at(0))).toEqual([]);
    expect(api.destination(ROUND)).toBeUndefined();
  });
});

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

describe('DATA on our tunnel', () => {
  it('goes over its circuit, each long message with its own number', () => {
    const { api, tunnel } = ready();
    expect(api.data(1, tunnel, DATA)).toEqual([sends(101, 'data', [[INNER.data, DATA]])]);
    const long = [1, 2].map((fill) => new Uint8Array(65_527).fill(fill));
    const outputs = long.flatMap((data) => api.data(1, tunnel, data));
    expect(sent(outputs, 101, INNER.data)).toEqual(long);
    const pieces = outputs.flatMap((output) =>
      output.type === 'plane' && 'messages' in output.command ? output.command.messages : [],
    );
    expect(new Set(pieces.map((piece) => piece.subarray(4, 6).join())).size).toBe(2);
  });

  it('comes to all who asked for it', () => {
    const { api, tunnel } = ready();
    api.build(2, THERE, ROUND);
    api.addClient(3);
    expect(api.onOwnMessage(101, { type: INNER.data, data: DATA })).toEqual([
      { type: 'data', client: 1, tunnel, data: DATA },
      { type: 'data', client: 2, tunnel, data: DATA },
    ]);
  });

  it.each([
    ['of a number nobody has', 1, 1],
    ['of another client', 2, 0],
    ['of the tunnel without a number', 1, -1],
  ])('is refused when the tunnel is %s', (_, client, offset) => {
    const { api, tunnel } = ready();
    const number = offset < 0 ? 0 : tunnel + offset;
    expect(api.data(client, number, DATA)).toEqual([error(client, 'data', number)]);
    expect(api.destroy(client, number, at(0))).toEqual([error(client, 'destroy', number)]);
  });

  it('goes nowhere between two circuits', () => {
    const { api, tunnel } = ready();
    api.onLost();
    expect(api.data(1, tunnel, DATA)).toEqual([]);
  });

  it('moves on with the tunnel, and what waited with it', () => {
    const { api, tunnel } = ready();
    api.onOwnMessage(101, { type: INNER.probeAck, data: NOTHING });
    expect(api.onCurrent(ownTunnel(102, THERE), at(300_000))).toEqual([
      opened(102, tokenOf(101)),
      { type: 'plane', command: { type: 'move data', circuit: 101, to: 102 } },
    ]);
    expect(api.data(1, tunnel, DATA)).toEqual([sends(102, 'data', [[INNER.data, DATA]])]);
    for (const circuit of [101, 102]) {
      expect(api.onOwnMessage(circuit, { type: INNER.data, data: DATA })).toEqual([
        { type: 'data', client: 1, tunnel, data: DATA },
      ]);
    }
  });

  it('of a tunnel that was lost has nothing left to move', () => {
    const { api } = ready();
    api.onLost();
    expect(api.onCurrent(ownTunnel(102, THERE), at(5000))).toEqual([opened(102)]);
  });

  it('of the last tunnel is not taken for that of the next (attack 31)', () => {
    const { api, tunnel } = ready();
    api.destroy(1, tunnel, at(0));
    api.build(1, ELSEWHERE, ROUND + 1);
    api.onCurrent(ownTunnel(102, ELSEWHERE), at(300_000));
    expect(api.onOwnMessage(101, { type: INNER.data, data: DATA })).toEqual([]);
    expect(api.onOwnMessage(101, { type: INNER.closeLogical, data: NOTHING })).toEqual([]);
    expect(api.counts.own).toBe('ready');
  });

  it('comes to nobody from the end of a cover tunnel (attack 31)', () => {
    const api = apiOf();
    api.onCurrent(ownTunnel(101, undefined), at(0));
    for (const type of Object.values(INNER)) {
      expect(api.onOwnMessage(101, { type, data: DATA })).toEqual([]);
    }
    expect(api.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
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

describe('COVER', () => {
  it('comes back to the one who asked, under no tunnel', () => {
    const api = apiOf();
    api.onCurrent(ownTunnel(101, undefined), at(0));
    const outputs = api.cover(2, 100);
    const [cover = NOTHING] = sent(outputs, 101, INNER.cover);
    expect(outputs).toEqual([sends(101, 'data', [[INNER.cover, cover]])]);
    const data = cover.subarray(6);
    expect(data).toHaveLength(100);
    expect(api.onOwnMessage(101, { type: INNER.coverEcho, data: cover })).toEqual([
      { type: 'data', client: 2, tunnel: 0, data },
    ]);
    expect(api.onOwnMessage(101, { type: INNER.coverEcho, data: cover })).toEqual([]);
  });

  it('is an error while a tunnel is ready, and not before or after', () => {
    const api = apiOf();
    api.onCurrent(ownTunnel(101, undefined), at(0));
    api.build(1, THERE, ROUND);
    expect(api.cover(2, 10)).toHaveLength(1);
    const [, isReady] = api.onCurrent(ownTunnel(102, THERE), at(1));
    for (const client of [1, 2]) expect(api.cover(client, 10)).toEqual([error(client, 'cover')]);
    api.destroy(1, isReady?.type === 'ready' ? isReady.tunnel : 0, at(2));
    expect(sent(api.cover(2, 10), 102, INNER.cover)).toHaveLength(1);
  });

  it('is an error without any tunnel', () => {
    const api = apiOf();
    expect(api.cover(1, 10)).toEqual([error(1, 'cover')]);
    api.onCurrent(ownTunnel(101, undefined), at(0));
    api.onLost();
    expect(api.cover(1, 10)).toEqual([error(1, 'cover')]);
  });

  it('comes back to nobody when the one who asked has gone', () => {
    const api = apiOf();
    api.onCurrent(ownTunnel(101, undefined), at(0));
    const [cover = NOTHING] = sent(api.cover(2, 10), 101, INNER.cover);
    api.removeClient(2, at(0));
    expect(api.onOwnMessage(101, { type: INNER.coverEcho, data: cover })).toEqual([]);
  });
});
