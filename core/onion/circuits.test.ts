import { describe, expect, it } from 'vitest';
import { Lioness } from '../crypto/index.ts';
import { COMMAND, cellBody, cellCommand } from '../link/index.ts';
import { type Rng, randomBytes, SeededRng } from '../runtime/index.ts';
import { OwnCircuit, RelayedCircuit } from './circuits.ts';
import { BODY_BYTES, CELL_BYTES } from './geometry.ts';
import { encodeInner, INNER } from './inner.ts';
import { countingProvider } from './testing/counting.ts';
import { createCells, createdCells, filled } from './testing/planes.ts';
import { onionTiming } from './timing.ts';

const PLACE = { link: 1, circId: 9 };
const seeded = new SeededRng(1);

/** Circuit parts that note each primitive that is called, and over how many bytes. */
function noting() {
  const { counting, calls } = countingProvider();
  const rng: Rng = {
    fill(target) {
      calls.push(`random ${target.length}`);
      return seeded.fill(target);
    },
  };
  const parts = {
    provider: counting,
    lioness: new Lioness(counting),
    rng,
    timing: onionTiming(300),
  };
  /** What `act` makes the circuit do. */
  const workOf = (act: () => void): string => {
    calls.splice(0);
    act();
    return calls.join();
  };
  return { parts, workOf };
}

function filledCell(stream: { fill(cell: Uint8Array): boolean }): Uint8Array {
  const cell = new Uint8Array(CELL_BYTES);
  expect(stream.fill(cell)).toBe(true);
  return cell;
}

function sealedBody(circuit: OwnCircuit): Uint8Array {
  return new Uint8Array(cellBody(filledCell(circuit.stream)));
}

function data(tag: number): Uint8Array[] {
  return encodeInner(INNER.data, filled(tag), 0);
}

/** A circuit of ours to its first hop. */
function pair() {
  const [ours, theirs] = [noting(), noting()];
  const secret = randomBytes(seeded, 32);
  const own = new OwnCircuit(ours.parts, PLACE, []);
  own.addHop(secret);
  const hop = new RelayedCircuit(theirs.parts, PLACE, { secret, cells: [] });
  return { own, hop, ownWork: ours.workOf, hopWork: theirs.workOf };
}

describe('the work in a slot (attack 33)', () => {
  it('is the same for the initiator whether it has something to say or not', () => {
    const { own, ownWork } = pair();
    const idle = ownWork(() => void sealedBody(own));
    own.outgoing.pushData(data(1));
    own.outgoing.pushControl(data(2));
    expect([ownWork(() => void sealedBody(own)), ownWork(() => void sealedBody(own))]).toEqual([
      idle,
      idle,
    ]);
    expect(idle).toContain('seal 504');
  });

  it('is the same for an endpoint, too, and for what arrives at either', () => {
    const { own, hop, ownWork, hopWork } = pair();
    const exchange = (seq: number) => {
      const forward = sealedBody(own);
      const arrived = hopWork(() => void hop.arriveForward(forward, seq, 0));
      let cell = new Uint8Array(CELL_BYTES);
      const sent = hopWork(() => {
        cell = new Uint8Array(filledCell(hop.prev));
      });
      const back = ownWork(() => void own.arrive(cellBody(cell)));
      return [arrived, sent, back];
    };
    const idle = exchange(1);
    own.outgoing.pushData(data(1));
    hop.outgoing.pushData(data(2));
    expect(exchange(2)).toEqual(idle);
    own.outgoing.pushData(encodeInner(INNER.cover, filled(3), 0));
    expect(exchange(3)).toEqual(idle);
    expect(exchange(4)).toEqual(idle);
  });

  it('is the same for a relay whatever it passes on', () => {
    const { own, hop, hopWork } = pair();
    const noise = () => randomBytes(seeded, BODY_BYTES);
    hop.connectNext({ link: 2, circId: 5 }, []);
    hop.relay();
    const arrivals = [sealedBody(own), noise(), new Uint8Array(BODY_BYTES)].map((body, seq) =>
      hopWork(() => void hop.arriveForward(body, seq, 0)),
    );
    expect(new Set(arrivals).size).toBe(1);
    const backward = [noise(), new Uint8Array(BODY_BYTES)].map((body, seq) =>
      hopWork(() => void hop.arriveBackward(body, seq, 0)),
    );
    expect(new Set(backward).size).toBe(1);
  });
});

describe('a circuit', () => {
  it('says nothing to a new hop that waited for the one before', () => {
    const { own } = pair();
    own.outgoing.pushControl(encodeInner(INNER.extend, filled(1, 1300), 0));
    own.outgoing.pushData(data(2));
    own.addHop(randomBytes(seeded, 32));
    expect(own.outgoing.next()).toEqual(data(2)[0]);
  });

  it('sends noise until its first hop has answered, and control cells before all else', () => {
    const { parts } = noting();
    const own = new OwnCircuit(parts, PLACE, createCells(9));
    const cells = Array.from({ length: 5 }, () => filledCell(own.stream));
    expect(cells.map(cellCommand)).toEqual([
      ...Array(3).fill(COMMAND.create),
      ...Array(2).fill(COMMAND.relay),
    ]);
    expect(cellBody(cells[3] ?? filled(0))).not.toEqual(cellBody(cells[4] ?? filled(0)));
  });

  it('knows how many bodies were authentic', () => {
    const { own, hop } = pair();
    for (let i = 0; i < 10; i++) {
      const body = new Uint8Array(cellBody(filledCell(hop.prev)));
      own.arrive(body.slice());
      own.arrive(randomBytes(seeded, BODY_BYTES));
      own.arrive(body);
    }
    expect(own.authentic).toBe(10);
  });

  it('of another gives its initiator what it has to say before what comes from behind', () => {
    const { own, hop } = pair();
    hop.connectNext({ link: 2, circId: 5 }, createdCells(5));
    hop.relay();
    hop.outgoing.pushControl(data(7));
    hop.arriveBackward(randomBytes(seeded, BODY_BYTES), 1, 0);
    const arrivals = [1, 2, 3].map(() =>
      own.arrive(new Uint8Array(cellBody(filledCell(hop.prev)))),
    );
    expect(arrivals.map(({ type }) => type)).toEqual(['inner', 'nothing', 'nothing']);
    expect(hop.substituted).toBe(1);
  });

  it('opens nothing once it is wiped', () => {
    const { own, hop } = pair();
    const body = sealedBody(own);
    hop.wipe();
    expect(hop.arriveForward(body, 1, 0).type).toBe('nothing');
    const back = new Uint8Array(cellBody(filledCell(hop.prev)));
    own.wipe();
    expect(own.hops).toBe(0);
    expect(own.arrive(back).type).toBe('nothing');
  });
});
