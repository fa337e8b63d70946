import { describe, expect, it } from 'vitest';
import type { ApiOutput, FailedRequest } from './api-port.ts';
import { INNER } from './inner.ts';
import {
  apiOf,
  at,
  ELSEWHERE,
  moved,
  NOTHING,
  opened,
  ownTunnel,
  ROUND,
  ready,
  sends,
  sent,
  THERE,
  tokenOf,
  US,
  waiting,
} from './testing/api.ts';

const DATA = Uint8Array.of(1, 2, 3);

function error(client: number, request: FailedRequest, tunnel = 0): ApiOutput {
  return { type: 'error', client, request, tunnel };
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

  it('waits between two circuits, and goes over the next', () => {
    const { api, tunnel } = ready();
    expect(api.onLost()).toEqual([waiting('keep data', 101)]);
    expect(api.onLost()).toEqual([]);
    expect(api.data(1, tunnel, DATA)).toEqual([sends(101, 'data', [[INNER.data, DATA]])]);
    // One that was begun before, and leads elsewhere.
    expect(api.onCurrent(ownTunnel(102), at(4000))).toEqual([]);
    expect(api.onCurrent(ownTunnel(103, THERE), at(5000))).toEqual([opened(103), moved(101, 103)]);
  });

  it('waits also when the next circuit leads elsewhere', () => {
    const { api } = ready();
    expect(api.onCurrent(ownTunnel(102), at(4000))).toEqual([waiting('keep data', 101)]);
  });

  it('moves on with the tunnel, and what waited with it', () => {
    const { api, tunnel } = ready();
    api.onOwnMessage(101, { type: INNER.probeAck, data: NOTHING });
    expect(api.onCurrent(ownTunnel(102, THERE), at(300_000))).toEqual([
      opened(102, tokenOf(101)),
      moved(101, 102),
    ]);
    expect(api.data(1, tunnel, DATA)).toEqual([sends(102, 'data', [[INNER.data, DATA]])]);
    for (const circuit of [101, 102]) {
      expect(api.onOwnMessage(circuit, { type: INNER.data, data: DATA })).toEqual([
        { type: 'data', client: 1, tunnel, data: DATA },
      ]);
    }
  });

  it('of the last tunnel is not taken for that of the next (attack 31)', () => {
    const { api, tunnel } = ready();
    api.destroy(1, tunnel, at(0));
    api.build(1, ELSEWHERE, ROUND + 1);
    // Not that of a round before the one that was asked for.
    api.onCurrent(ownTunnel(102, ELSEWHERE), at(200_000));
    expect(api.counts.own).toBe('wanted');
    api.onCurrent(ownTunnel(103, ELSEWHERE, ROUND + 1), at(300_000));
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
