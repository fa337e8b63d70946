// The machine by itself: two of them, and the test carries cells between them or does not.

import { describe, expect, it } from 'vitest';
import { identityKey } from '../identity/index.ts';
import type { LinkUp } from '../link/index.ts';
import { ALICE, BOB, testNode } from '../link/testing/nodes.ts';
import { SeededRng } from '../runtime/index.ts';
import { CALLS_MAX } from './calls.ts';
import { Exchange, type ExchangeOutput, LINKS_KEPT } from './exchange.ts';
import type { Outcome } from './rpc.ts';
import { encodeCells, encodeRequest } from './wire.ts';

const LINK = 5;
const ADDRESS = { ip: '20.1.1.1', port: 4000 };
const TARGET = { identity: BOB.descriptor.identity, address: ADDRESS };
const MESSAGE = encodeRequest({ service: 9, bytes: Uint8Array.of(1) });

function upTo({ descriptor }: typeof BOB, link = LINK): LinkUp {
  const { identity } = descriptor;
  const place = { link, identity, address: ADDRESS, transport: 'udp', initiator: true } as const;
  return { ...place, descriptor, clockAheadS: 0 };
}

class Caller {
  readonly exchange = new Exchange(new SeededRng(1));
  readonly outcomes: Outcome[] = [];

  call(nowMs = 0): readonly ExchangeOutput[] {
    const done = (outcome: Outcome): void => void this.outcomes.push(outcome);
    return this.act(this.exchange.call({ target: TARGET, message: MESSAGE, done }, nowMs));
  }

  act(outputs: readonly ExchangeOutput[]): readonly ExchangeOutput[] {
    for (const output of outputs) if (output.type === 'done') output.done(output.outcome);
    return outputs;
  }
}

function names(outputs: readonly ExchangeOutput[]): string[] {
  return outputs.map(({ type }) => type);
}

/** The cells of the only message in it. */
function cellsOf(outputs: readonly ExchangeOutput[]): readonly Uint8Array[] {
  const sent = outputs.flatMap((output) => (output.type === 'send' ? [output.cells] : []));
  expect(sent).toHaveLength(1);
  return sent[0] ?? [];
}

function heard(exchange: Exchange, cells: readonly Uint8Array[], nowMs: number, link = LINK) {
  return cells.flatMap((cell) => [...exchange.onCell(link, cell, nowMs)]);
}

describe('a call', () => {
  it('opens a link, is said, said again, and given up; a link without a word goes with it', () => {
    const caller = new Caller();
    expect(caller.call()).toEqual([{ type: 'open', target: TARGET }]);
    const said = caller.exchange.onUp(upTo(BOB), 100);
    expect(names(said)).toEqual(['send', 'touch']);
    expect(caller.exchange.nextDeadlineMs()).toBe(1600);
    expect(cellsOf(caller.exchange.onTimer(1600))).toEqual(cellsOf(said));
    expect(names(caller.act(caller.exchange.onTimer(3100)))).toEqual(['done', 'close']);
    expect(caller.outcomes).toEqual([{ type: 'failed', why: 'timeout' }]);
    expect(caller.exchange.status.calls).toBe(0);
  });

  it('is said over another link when its own ends, but twice in all', () => {
    const caller = new Caller();
    caller.call();
    caller.exchange.onUp(upTo(BOB), 0);
    expect(caller.exchange.onDown(LINK, 10)).toEqual([{ type: 'open', target: TARGET }]);
    expect(names(caller.exchange.onUp(upTo(BOB, 6), 20))).toEqual(['send', 'touch']);
    expect(names(caller.act(caller.exchange.onDown(6, 30)))).toEqual(['done']);
    expect(caller.outcomes).toEqual([{ type: 'failed', why: 'timeout' }]);
  });

  it('takes its answer from the node that was asked only', () => {
    const caller = new Caller();
    caller.call();
    caller.exchange.onUp(upTo(ALICE, 6), 0);
    const [request = new Uint8Array()] = cellsOf(caller.exchange.onUp(upTo(BOB), 0));
    const number = new DataView(request.buffer).getUint32(0);
    const answer = encodeCells('answer', number, Uint8Array.of(2));
    expect(heard(caller.exchange, answer, 10, 6)).toEqual([]);
    expect(heard(caller.exchange, encodeCells('answer', number + 1, MESSAGE), 10)).toEqual([]);
    expect(caller.exchange.status.dropped).toBe(2);
    caller.act(heard(caller.exchange, answer, 20));
    expect(caller.outcomes).toMatchObject([{ type: 'answer', bytes: Uint8Array.of(2) }]);
    expect(heard(caller.exchange, answer, 30)).toEqual([]);
  });

  it('fails at once when too many are under way', () => {
    const caller = new Caller();
    for (let i = 0; i < CALLS_MAX; i++) caller.call();
    expect(names(caller.call())).toEqual(['done']);
    expect(caller.outcomes).toEqual([{ type: 'failed', why: 'busy' }]);
  });

  it('fails for the place that could not be reached, and waits for others', () => {
    const caller = new Caller();
    caller.call();
    caller.act(caller.exchange.onUnreachable({ ...TARGET, address: { ip: '20.2.2.2', port: 1 } }));
    expect(caller.outcomes).toEqual([]);
    caller.act(caller.exchange.onUnreachable(TARGET));
    expect(caller.outcomes).toEqual([{ type: 'failed', why: 'unreachable' }]);
  });
});

describe('a request', () => {
  const cells = encodeCells('request', 77, MESSAGE);

  function callee(): Exchange {
    const exchange = new Exchange(new SeededRng(2));
    exchange.serve(9, () => {});
    exchange.onUp(upTo(ALICE), 0);
    return exchange;
  }

  it('reaches its handler once, and its answer is said as often as it is asked for', () => {
    const exchange = callee();
    const [touch, request] = heard(exchange, cells, 10);
    expect(touch).toEqual({ type: 'touch', link: LINK });
    expect(request).toMatchObject({ type: 'request', bytes: Uint8Array.of(1), number: 77 });
    expect(heard(exchange, cells, 20)).toEqual([{ type: 'send', link: LINK, cells: [] }]);
    const answer = cellsOf(exchange.answer(LINK, 77, Uint8Array.of(2), 100));
    expect(exchange.answer(LINK, 77, Uint8Array.of(3), 110)).toEqual([]);
    expect(cellsOf(heard(exchange, cells, 200))).toEqual([]);
    expect(cellsOf(heard(exchange, cells, 1510))).toEqual(answer);
    expect(cellsOf(heard(exchange, cells, 1511))).toEqual([]);
  });

  it('is not answered once its link is gone, or after 4 s', () => {
    const exchange = callee();
    heard(exchange, cells, 0);
    exchange.onDown(LINK, 10);
    expect(exchange.answer(LINK, 77, Uint8Array.of(2), 20)).toEqual([]);
    const slow = callee();
    heard(slow, cells, 0);
    heard(slow, encodeCells('request', 78, MESSAGE), 4000);
    expect(slow.answer(LINK, 77, Uint8Array.of(2), 4000)).toEqual([]);
  });

  it('of another cell than one it can be is dropped, and counted', () => {
    const exchange = callee();
    for (const cell of encodeCells('request', 79, new Uint8Array())) {
      expect(exchange.onCell(LINK, cell, 0)).toEqual([]);
      expect(exchange.onCell(99, cell, 0)).toEqual([]);
    }
    expect(exchange.status.dropped).toBe(2);
  });
});

describe('links', () => {
  it('beyond so many cost the one that was not used for longest', () => {
    const exchange = new Exchange(new SeededRng(3));
    exchange.serve(9, () => {});
    for (let i = 0; i < LINKS_KEPT; i++) expect(exchange.onUp(upTo(BOB, i), i)).toEqual([]);
    heard(exchange, encodeCells('request', 1, MESSAGE), 1000, 0);
    expect(exchange.onUp(upTo(BOB, 1000), 2000)).toEqual([{ type: 'close', link: 1 }]);
  });

  it('are where their nodes are known', () => {
    const exchange = new Exchange(new SeededRng(3));
    const carol = testNode('carol', 3);
    const key = identityKey(carol.descriptor.identity);
    exchange.onUp(upTo(carol, 1), 0);
    exchange.onUp(upTo(carol, 2), 0);
    exchange.onDown(1, 0);
    expect(exchange.peerOf(key)?.descriptor).toBe(carol.descriptor);
    exchange.onDown(2, 0);
    expect(exchange.peerOf(key)).toBeUndefined();
  });
});
