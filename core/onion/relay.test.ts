import { describe, expect, it } from 'vitest';
import { encodeRefusal, REASON, refusal } from './control-cells.ts';
import { resumeToken } from './hop.ts';
import { encodeInner, INNER } from './inner.ts';
import { ROUND, WALL_MS } from './testing/hops.ts';
import { padded, read, readCells } from './testing/read.ts';
import {
  at,
  CIRC_ID,
  DISCONNECTED,
  destroyedNext,
  ENDED,
  FROM,
  initiator,
  relayOf,
  says,
  withCircuit,
  withNext,
  withTwoHops,
} from './testing/relays.ts';

describe('a CREATE', () => {
  it('is answered, and the circuit ends here', () => {
    const { relay, handshake, outputs, circuit } = withCircuit();
    const [output] = outputs;
    const command = output?.type === 'plane' ? output.command : undefined;
    if (command?.type !== 'add relayed') throw new Error('not admitted');
    const [cell] = readCells(command.cells);
    const created = cell !== undefined && 'created' in cell ? cell.created : new Uint8Array();
    const secret = handshake.finish(created, WALL_MS);
    const cells = [{ circId: CIRC_ID, created }];
    const place = { link: FROM.link, circId: CIRC_ID };
    expect(read(outputs)).toEqual([
      { plane: { type: 'add relayed', circuit, ...place, secret, cells } },
    ]);
    expect([relay.circuits, relay.has(circuit)]).toEqual([1, true]);
    expect(relay.originOf(circuit)).toEqual({ round: ROUND, resumeToken: resumeToken(secret) });
    expect(relay.originOf(2)).toBeUndefined();
  });

  it('is answered the same again for 10 s, and then no more', () => {
    const { relay, handshake, outputs } = withCircuit();
    const [first] = outputs;
    const command = first?.type === 'plane' ? first.command : undefined;
    const cells = command?.type === 'add relayed' ? command.cells : [];
    const again = { type: 'send cells', circuit: 1, side: 'prev', cells };
    const repeat = (nowMs: number) => relay.onCreate(FROM, CIRC_ID, handshake.create(), at(nowMs));
    expect(repeat(800)).toEqual([{ type: 'plane', command: again }]);
    expect(repeat(9999)).toEqual([{ type: 'plane', command: again }]);
    expect(repeat(10_000)).toEqual([]);
    expect(relay.circuits).toBe(1);
  });

  it('of another handshake on a number that is taken is ignored', () => {
    const { relay } = withCircuit();
    expect(relay.onCreate(FROM, CIRC_ID, initiator(2).create(), at(1))).toEqual([]);
    expect(relay.circuits).toBe(1);
  });

  it('takes the same number on another link for another circuit', () => {
    const { relay } = withCircuit();
    const other = { ...FROM, link: 7 };
    expect(relay.onCreate(other, CIRC_ID, initiator(2).create(), at(1))).toHaveLength(1);
    expect(relay.circuits).toBe(2);
  });

  it.each([
    ['we began', true, 0x7fff_ffff, 1],
    ['we began', true, 0x8000_0001, 0],
    ['they began', false, 0x7fff_ffff, 0],
    ['they began', false, 0x8000_0001, 1],
  ])('on a link %s: initiator %s, number %i, makes %i circuits (attack 30)', (_, ...rest) => {
    const [isInitiator, circId, circuits] = rest;
    const { relay } = relayOf();
    const outputs = relay.onCreate({ ...FROM, isInitiator }, circId, initiator(1).create(), at(0));
    expect([outputs.length, relay.circuits]).toEqual([circuits, circuits]);
  });

  it.each([
    [-2, 0],
    [-1, 1],
    [0, 1],
    [1, 1],
    [2, 0],
  ])('of %i rounds from now makes %i circuits, near the boundary', (rounds, circuits) => {
    const { relay } = relayOf();
    const create = initiator(1, { round: ROUND + rounds }).create();
    const outputs = relay.onCreate(FROM, CIRC_ID, create, at(9000));
    expect([outputs.length, relay.circuits]).toEqual([circuits, circuits]);
  });

  it('that is malformed, or has keys nobody can use (attack 16), is ignored', () => {
    const { relay, admission } = relayOf();
    const create = initiator(1).create();
    const zeroKey = new Uint8Array(create).fill(0, 24, 56);
    for (const wrong of [create.with(0, 2), create.with(1, 13), create.slice(1), zeroKey]) {
      expect(relay.onCreate(FROM, CIRC_ID, wrong, at(0))).toEqual([]);
    }
    expect([relay.circuits, admission.circuits]).toEqual([0, 0]);
  });

  it('beyond the limits is refused, in a cell of the link', () => {
    const { relay } = relayOf();
    for (let i = 1; i <= 8; i++) relay.onCreate(FROM, i, initiator(i).create(), at(0));
    const cell = { circId: 9, destroy: refusal(REASON.resourceLimit) };
    expect(read(relay.onCreate(FROM, 9, initiator(9).create(), at(0)))).toEqual([
      { plane: { type: 'send control cell', link: FROM.link, cell } },
    ]);
    expect(relay.circuits).toBe(8);
  });

  it('to a loaded relay is asked for work, over a seed', () => {
    const { relay } = relayOf({ circuitsMax: 2 });
    relay.onCreate(FROM, 1, initiator(1).create(), at(0));
    const [output] = read(relay.onCreate(FROM, 2, initiator(2).create(), at(0)));
    const destroy = { reason: REASON.proofRequired, powBits: 8, powSeed: expect.any(Uint8Array) };
    const cell = { circId: 2, destroy };
    expect(output).toEqual({ plane: { type: 'send control cell', link: FROM.link, cell } });
  });
});

describe('the end of a circuit', () => {
  it('comes with its initiator’s DESTROY, and the next hop is told', () => {
    const { relay, admission, circId } = withTwoHops();
    const body = encodeRefusal(refusal(REASON.normal));
    expect(read(relay.onDestroy(1, 'prev', body))).toEqual([
      destroyedNext(circId),
      DISCONNECTED,
      ...ENDED,
    ]);
    expect([relay.circuits, admission.circuits]).toEqual([0, 0]);
    expect(relay.onDestroy(1, 'prev', body)).toEqual([]);
  });

  it('comes with the end of the link to its initiator', () => {
    const { relay, circId } = withNext();
    expect(relay.onLinkDown(99)).toEqual([]);
    expect(read(relay.onLinkDown(FROM.link))).toEqual([
      destroyedNext(circId),
      DISCONNECTED,
      ...ENDED,
    ]);
  });

  it('comes 20 s after its round’s drain at the latest', () => {
    const { relay } = withCircuit();
    expect(relay.sweep(at(335_000))).toEqual([]);
    expect(read(relay.sweep(at(335_001)))).toEqual(ENDED);
  });

  it('does not move with the wall clock (attack 24)', () => {
    const { relay } = withCircuit();
    const jumped = (wallMs: number, nowMs: number) => relay.sweep({ nowMs, wallMs });
    expect(jumped(WALL_MS + 3_600_000, 1000)).toEqual([]);
    expect(jumped(WALL_MS - 3_600_000, 335_000)).toEqual([]);
    expect(read(jumped(WALL_MS - 3_600_000, 335_001))).toEqual(ENDED);
  });
});

describe('messages to us as endpoint', () => {
  it('are passed on, whole', () => {
    const { relay, circuit } = withCircuit();
    const data = new Uint8Array(1000).fill(7);
    expect(says(relay, circuit, INNER.data, data, 5)).toEqual([
      { type: 'message', circuit, message: { type: INNER.data, data } },
    ]);
  });

  it('are dropped when they are malformed, or of a circuit that is not there', () => {
    const { relay, circuit } = withCircuit();
    const [message = new Uint8Array()] = encodeInner(INNER.data, Uint8Array.of(1), 0);
    expect(relay.onInner(circuit, padded(message).with(1, 1), at(0))).toEqual([]);
    expect(relay.onInner(circuit + 1, padded(message), at(0))).toEqual([]);
  });
});
