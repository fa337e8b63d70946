import { describe, expect, it } from 'vitest';
import type { ApiOutput } from './api-port.ts';
import type { ApiTunnels } from './api-tunnels.ts';
import { INNER } from './inner.ts';
import {
  apiOf,
  at,
  moved,
  openOf,
  RESUME_WAIT_MS,
  sends,
  tokenOf,
  waiting,
} from './testing/api.ts';

const NOTHING = new Uint8Array();
const DATA = Uint8Array.of(1, 2, 3);

function opens(api: ApiTunnels, circuit: number, token?: Uint8Array, nowMs = 0): ApiOutput[] {
  return api.onEndpointMessage(circuit, { type: INNER.open, data: openOf(token) }, at(nowMs));
}

function says(api: ApiTunnels, circuit: number, data: Uint8Array = DATA): ApiOutput[] {
  return api.onEndpointMessage(circuit, { type: INNER.data, data }, at(0));
}

function closes(api: ApiTunnels, circuit: number): ApiOutput[] {
  return api.onEndpointMessage(circuit, { type: INNER.closeLogical, data: NOTHING }, at(0));
}

function closed(circuit: number): ApiOutput {
  const close = [INNER.closeLogical, NOTHING] as const;
  return sends(circuit, 'control', [close, close, close, [INNER.probe, NOTHING]]);
}

function data(client: number, tunnel: number): ApiOutput {
  return { type: 'data', client, tunnel, data: DATA };
}

function failed(client: number, tunnel: number): ApiOutput {
  return { type: 'error', client, request: 'data', tunnel };
}

function numberOf(outputs: readonly ApiOutput[]): number {
  const [first] = outputs;
  return first?.type === 'incoming' ? first.tunnel : 0;
}

/** With a tunnel on circuit 1, of both clients. */
function incoming(): { api: ApiTunnels; tunnel: number } {
  const api = apiOf();
  return { api, tunnel: numberOf(opens(api, 1)) };
}

describe('a tunnel that comes in', () => {
  it('is told to all clients, once', () => {
    const api = apiOf();
    const outputs = opens(api, 1);
    const tunnel = numberOf(outputs);
    expect(tunnel).not.toBe(0);
    expect(outputs).toEqual([
      { type: 'incoming', client: 1, tunnel },
      { type: 'incoming', client: 2, tunnel },
    ]);
    expect(opens(api, 1)).toEqual([]);
    expect(api.counts).toEqual({ incoming: 1, clients: 2, own: 'cover' });
  });

  it('is one of its own each', () => {
    const api = apiOf();
    expect(numberOf(opens(api, 1))).not.toBe(numberOf(opens(api, 2)));
    expect(api.counts.incoming).toBe(2);
  });

  it('is told to nobody when nobody is there, and said again is told to who has come', () => {
    const api = apiOf({ clients: [] });
    expect(opens(api, 1)).toEqual([]);
    api.addClient(5);
    expect(opens(api, 1)).toMatchObject([{ type: 'incoming', client: 5 }]);
  });

  it.each([
    ['for cover', Uint8Array.of(0, ...new Uint8Array(32))],
    ['of another kind', Uint8Array.of(2, ...new Uint8Array(32))],
    ['without a token', Uint8Array.of(1)],
    ['with too much', Uint8Array.of(1, ...new Uint8Array(33))],
    ['with nothing', NOTHING],
  ])('is none when it is %s', (_, open) => {
    const api = apiOf();
    expect(api.onEndpointMessage(1, { type: INNER.open, data: open }, at(0))).toEqual([]);
    expect(says(api, 1)).toEqual([]);
  });

  it('is none on a circuit that does not end here', () => {
    expect(opens(apiOf(), 101)).toEqual([]);
  });

  it('carries data both ways, for every client it has', () => {
    const { api, tunnel } = incoming();
    api.addClient(3);
    expect(says(api, 1)).toEqual([data(1, tunnel), data(2, tunnel)]);
    for (const client of [1, 2]) {
      expect(api.data(client, tunnel, DATA)).toEqual([sends(1, 'data', [[INNER.data, DATA]])]);
    }
    expect(api.data(3, tunnel, DATA)).toEqual([failed(3, tunnel)]);
    expect(says(api, 2)).toEqual([]);
  });

  it('is of a client until that client destroys it, and ends with the last', () => {
    const { api, tunnel } = incoming();
    expect(api.destroy(1, tunnel, at(0))).toEqual([]);
    expect(api.destroy(1, tunnel, at(0))).toEqual([
      { type: 'error', client: 1, request: 'destroy', tunnel },
    ]);
    expect(api.data(1, tunnel, DATA)).toEqual([failed(1, tunnel)]);
    expect(says(api, 1)).toEqual([data(2, tunnel)]);
    expect(api.destroy(2, tunnel, at(0))).toEqual([closed(1)]);
    expect(api.data(2, tunnel, DATA)).toEqual([failed(2, tunnel)]);
    expect(says(api, 1)).toEqual([]);
    expect(api.counts.incoming).toBe(0);
  });

  it('stays ended, whatever is repeated', () => {
    const { api, tunnel } = incoming();
    for (const client of [1, 2]) api.destroy(client, tunnel, at(0));
    expect(opens(api, 1)).toEqual([]);
    expect(opens(api, 2, tokenOf(1), 5000)).toEqual([closed(2)]);
    expect(says(api, 2)).toEqual([]);
  });

  it('is not closed again when its circuit has gone', () => {
    const { api, tunnel } = incoming();
    for (const client of [1, 2]) api.destroy(client, tunnel, at(0));
    api.onCircuitEnded(1, at(100));
    expect(api.onTick(at(5000))).toEqual([]);
  });

  it('loses the clients that go away', () => {
    const { api, tunnel } = incoming();
    const other = numberOf(opens(api, 2));
    expect(api.removeClient(1, at(0))).toEqual([]);
    expect(says(api, 1)).toEqual([data(2, tunnel)]);
    expect(api.removeClient(2, at(0))).toEqual([closed(1), closed(2)]);
    expect(says(api, 2)).toEqual([]);
    expect(other).not.toBe(tunnel);
  });

  it('ends with an error when its initiator closes it, once', () => {
    const { api, tunnel } = incoming();
    api.destroy(1, tunnel, at(0));
    expect(closes(api, 1)).toEqual([failed(2, tunnel)]);
    expect(closes(api, 1)).toEqual([]);
    expect(opens(api, 1)).toEqual([]);
    expect(says(api, 1)).toEqual([]);
    expect(closes(api, 2)).toEqual([]);
  });
});

describe('the next circuit of a tunnel that came in', () => {
  it('is named by the one before, and the tunnel goes on', () => {
    const { api, tunnel } = incoming();
    expect(opens(api, 2, tokenOf(1))).toEqual([moved(1, 2)]);
    expect(opens(api, 2, tokenOf(1))).toEqual([]);
    expect(api.data(1, tunnel, DATA)).toEqual([sends(2, 'data', [[INNER.data, DATA]])]);
    expect(says(api, 2)).toEqual([data(1, tunnel), data(2, tunnel)]);
    expect(opens(api, 3, tokenOf(2))).toEqual([moved(2, 3)]);
  });

  it('leaves what is under way on the old one to arrive', () => {
    const { api, tunnel } = incoming();
    opens(api, 2, tokenOf(1));
    expect(says(api, 1)).toEqual([data(1, tunnel), data(2, tunnel)]);
    api.onCircuitEnded(1, at(0));
    expect(says(api, 1)).toEqual([]);
    expect(says(api, 2)).toHaveLength(2);
    expect(api.onTick(at(10 * RESUME_WAIT_MS))).toEqual([]);
  });

  it('goes on from the one before when the next failed before anything was heard over it', () => {
    const { api } = incoming();
    opens(api, 2, tokenOf(1));
    expect(opens(api, 3, tokenOf(1))).not.toContainEqual(
      expect.objectContaining({ type: 'incoming' }),
    );
    for (const circuit of [4, 5, 6]) opens(api, circuit, tokenOf(circuit - 1));
    expect(opens(api, 7, tokenOf(1))).toContainEqual(expect.objectContaining({ type: 'incoming' }));
  });

  it.each([['that nobody gave', 99]])('with a token %s is another tunnel', (_, token) => {
    const { api, tunnel } = incoming();
    opens(api, 2, tokenOf(1));
    const outputs = opens(api, 3, tokenOf(token));
    expect(outputs).toHaveLength(2);
    expect(numberOf(outputs)).not.toBe(tunnel);
    expect(says(api, 2)).toEqual([data(1, tunnel), data(2, tunnel)]);
  });

  it('cannot be an old one', () => {
    const { api, tunnel } = incoming();
    opens(api, 2, tokenOf(1));
    expect(opens(api, 1, tokenOf(2))).toEqual([]);
    expect(api.data(1, tunnel, DATA)).toEqual([sends(2, 'data', [[INNER.data, DATA]])]);
  });

  it('is waited for a round and a little, then the tunnel has failed', () => {
    const { api, tunnel } = incoming();
    api.destroy(2, tunnel, at(0));
    api.onCircuitEnded(1, at(1000));
    expect(api.nextDeadlineMs()).toBe(1000 + RESUME_WAIT_MS);
    expect(api.onTick(at(999 + RESUME_WAIT_MS))).toEqual([]);
    expect(api.onTick(at(1000 + RESUME_WAIT_MS))).toEqual([
      failed(1, tunnel),
      waiting('forget data', 1),
    ]);
    expect(api.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
    expect(api.counts.incoming).toBe(0);
  });

  it('of the next round carries what is sent from its boundary on, or when the old one goes', () => {
    for (const isLost of [false, true]) {
      const { api, tunnel } = incoming();
      expect(opens(api, 201, tokenOf(1))).toEqual([]);
      // In this round another one took the place of the first.
      expect(opens(api, 3, tokenOf(201))).toEqual([moved(1, 3)]);
      expect(api.onTick(at(1000))).toEqual([]);
      expect(says(api, 201)).toEqual([data(1, tunnel), data(2, tunnel)]);
      expect(api.onCircuitEnded(1, at(1000))).toEqual([]);
      const turned = isLost ? api.onCircuitEnded(3, at(2000)) : api.onTick(at(300_000));
      expect(turned).toEqual([moved(3, 201)]);
      expect(api.data(1, tunnel, DATA)).toEqual([sends(201, 'data', [[INNER.data, DATA]])]);
    }
  });

  it('that goes before its round leaves the old one as it was', () => {
    const { api, tunnel } = incoming();
    opens(api, 201, tokenOf(1));
    expect(api.onCircuitEnded(201, at(1000))).toEqual([]);
    expect(api.onTick(at(400_000))).toEqual([]);
    expect(api.data(1, tunnel, DATA)).toEqual([sends(1, 'data', [[INNER.data, DATA]])]);
  });

  it('may come after the old one has gone, and carries what waits meanwhile', () => {
    const { api, tunnel } = incoming();
    expect(api.onCircuitEnded(1, at(0))).toEqual([waiting('keep data', 1)]);
    expect(api.data(1, tunnel, DATA)).toEqual([sends(1, 'data', [[INNER.data, DATA]])]);
    expect(opens(api, 2, tokenOf(1), 60_000)).toEqual([moved(1, 2)]);
    expect(api.onTick(at(10 * RESUME_WAIT_MS))).toEqual([]);
    expect(says(api, 2)).toEqual([data(1, tunnel), data(2, tunnel)]);
  });

  it('of a tunnel that all destroyed meanwhile is closed', () => {
    const { api, tunnel } = incoming();
    api.onCircuitEnded(1, at(0));
    expect(api.destroy(1, tunnel, at(1000))).toEqual([]);
    expect(api.destroy(2, tunnel, at(1000))).toEqual([waiting('forget data', 1)]);
    expect(opens(api, 2, tokenOf(1), 60_000)).toEqual([closed(2)]);
  });
});

describe('tunnels that come in', () => {
  it('are 64 at the most; those that wait for a circuit make room', () => {
    const api = apiOf({ clients: [1] });
    const numbers = Array.from({ length: 64 }, (_, i) => numberOf(opens(api, i + 1)));
    expect(opens(api, 65)).toEqual([]);
    api.onCircuitEnded(7, at(2000));
    api.onCircuitEnded(9, at(1000));
    const [gone, forgotten, come] = opens(api, 66);
    expect([gone, forgotten]).toEqual([failed(1, numbers[8] ?? 0), waiting('forget data', 9)]);
    expect(come).toMatchObject({ type: 'incoming', client: 1 });
    expect(api.counts.incoming).toBe(64);
  });
});
