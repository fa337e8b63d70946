import { describe, expect, it } from 'vitest';
import { identityKey } from '../identity/index.ts';
import { COMMAND, type LinkUp, type Opening, writeCellHeader } from '../link/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { Admission } from './admission.ts';
import { controlCells, destroyCell, REASON, refusal } from './control-cells.ts';
import { encodeExtend } from './extend.ts';
import { BODY_BYTES, CELL_BYTES } from './geometry.ts';
import { type Guard, Guards } from './guards.ts';
import { HopInitiator } from './hop.ts';
import { encodeInner, INNER } from './inner.ts';
import { Onion, type OnionEvent } from './onion.ts';
import type { Side } from './plane-port.ts';
import { answered, parametersOf, ROUND, testHop, WALL_MS } from './testing/hops.ts';
import { padded, read } from './testing/read.ts';
import { onionTiming } from './timing.ts';

const bob = testHop('bob');
const carol = testHop('carol');
const ALICE = 5;
const CAROL = 6;
const CIRC_ID = 0x8000_0001;
const MINUTE_MS = 60_000;

function at(nowMs: number) {
  return { nowMs, wallMs: WALL_MS + nowMs };
}

/** Bob, and all that he says. */
function onion(opening: Opening = { type: 'dialling' }, saved: readonly Guard[] = []) {
  const posted: object[] = [];
  const emitted: OnionEvent[] = [];
  const said: string[] = [];
  const { identity } = bob.peer;
  const rng = new SeededRng(1);
  const timing = onionTiming(300);
  const machine = new Onion(
    {
      parameters: parametersOf(1),
      timing,
      identity,
      ownIps: [],
      hops: 2,
      allowPrivate: false,
      guards: new Guards({ rng, count: saved.length, saved, save: () => {} }),
      admission: new Admission({ rng, identity, timing, circuitsMax: 32, allowPrivate: false }, 0),
      links: {
        open: ({ identity: wanted }) => {
          said.push(`open ${identityKey(wanted)}`);
          return opening;
        },
        setInUse: (link, inUse) => void said.push(`${link} ${inUse ? 'used' : 'unused'}`),
        setKept: (link, kept) => void said.push(`${link} ${kept ? 'kept' : 'not kept'}`),
        announceLoad: (bits) => void said.push(`load ${bits}`),
      },
      credentials: () => bob.credentials,
      post: (command) => posted.push(...read([{ type: 'plane', command } as { type: string }])),
      emit: (event) => emitted.push(event),
    },
    at(0),
  );
  /** What it has posted since the last time. */
  const news = (): object[] => posted.splice(0);
  return { machine, news, emitted, said };
}

function linkUp(link: number, initiator: boolean): LinkUp {
  const { identity, address } = carol.peer;
  // Nobody looks at the descriptor.
  return { link, identity, address, initiator, clockAheadS: 0 } as LinkUp;
}

/** With a link to alice, and a circuit of hers. */
function serving(opening?: Opening) {
  const bench = onion(opening);
  const { machine, news } = bench;
  machine.onLinksEvent({ type: 'up', ...linkUp(ALICE, false) }, at(0));
  const asked = { hop: bob.peer.publicKey, round: ROUND, budget: 5 };
  const create = new HopInitiator(parametersOf(7), asked).create();
  arrive(machine, ALICE, controlCells(CIRC_ID, COMMAND.create, create));
  expect(news()).toMatchObject([{ plane: { type: 'add relayed', circuit: 1, link: ALICE } }]);
  return { ...bench, create };
}

/** Alice's circuit asks for carol. */
function extend(machine: Onion): Uint8Array {
  const asked = { hop: carol.peer.publicKey, round: ROUND, budget: 4 };
  const create = new HopInitiator(parametersOf(8), asked).create();
  for (const piece of encodeInner(INNER.extend, encodeExtend({ ...carol.peer, create }), 1)) {
    machine.onCircuitEvent({ type: 'inner', circuit: 1, message: padded(piece) }, at(100));
  }
  return answered(carol, create).created;
}

/** And gets her, but for her answer. */
function relaying() {
  const bench = serving();
  const { machine, news } = bench;
  const created = extend(machine);
  machine.onLinksEvent({ type: 'up', ...linkUp(CAROL, true) }, at(200));
  const [connected] = news() as [{ plane: { circId: number } }];
  expect(connected).toMatchObject({ plane: { type: 'connect next', circuit: 1, link: CAROL } });
  return { ...bench, created, circId: connected.plane.circId };
}

function arrive(
  machine: Onion,
  link: number,
  cells: readonly Uint8Array[],
  known: { readonly circuit?: number; readonly side?: Side } = {},
): void {
  for (const cell of cells) {
    machine.onCircuitEvent({ type: 'cell', link, cell, ...known }, at(300));
  }
}

describe('cells of circuits', () => {
  it('lead a circuit on, and say which links are in use', () => {
    const { machine, news, said, created, circId } = relaying();
    expect(said).toEqual([`${ALICE} used`, `open ${carol.peer.key}`, `${CAROL} used`]);
    const cells = controlCells(circId, COMMAND.created, created);
    arrive(machine, CAROL, cells, { circuit: 1, side: 'next' });
    const messages = [{ what: 'extended', data: created }];
    expect(news()).toEqual([
      { plane: { type: 'send inner', circuit: 1, queue: 'control', messages } },
      { plane: { type: 'relay', circuit: 1 } },
    ]);
    expect(machine.status).toMatchObject({ relayed: 1, round: ROUND });
  });

  it('say nothing for the next hop when they come from the side of the initiator', () => {
    const { machine, news, created } = relaying();
    const cells = controlCells(CIRC_ID, COMMAND.created, created);
    arrive(machine, ALICE, cells, { circuit: 1, side: 'prev' });
    expect(news()).toEqual([]);
  });

  it('end a circuit', () => {
    const { machine, news, said } = relaying();
    said.length = 0;
    const cell = destroyCell(new SeededRng(1), CIRC_ID, refusal(REASON.normal));
    arrive(machine, ALICE, [cell], { circuit: 1, side: 'prev' });
    expect(news().slice(-2)).toEqual([
      { plane: { type: 'disconnect next', circuit: 1 } },
      { plane: { type: 'remove', circuit: 1 } },
    ]);
    expect(said).toEqual([`${CAROL} unused`, `${ALICE} unused`]);
    expect(machine.status.relayed).toBe(0);
  });

  it.each([COMMAND.created, COMMAND.destroy, COMMAND.rdvCreate, COMMAND.rdvCreated])(
    'of command %i on numbers nobody knows are nothing',
    (command) => {
      const { machine, news } = relaying();
      const cell = new Uint8Array(CELL_BYTES).fill(1, CELL_BYTES - BODY_BYTES);
      writeCellHeader(cell, 77, command);
      arrive(machine, ALICE, [cell]);
      expect(news()).toEqual([]);
    },
  );

  it('of links that are not open any more are nothing', () => {
    const { machine, news, create } = relaying();
    machine.onLinksEvent(
      { type: 'down', link: ALICE, identity: carol.peer.identity, why: 'dead' },
      at(300),
    );
    expect(machine.status.relayed).toBe(0);
    news();
    arrive(machine, ALICE, controlCells(CIRC_ID, COMMAND.create, create));
    expect(news()).toEqual([]);
  });
});

describe('a link for a circuit', () => {
  it('may be there already', () => {
    const { machine, news } = serving({ type: 'up', ...linkUp(CAROL, true) });
    extend(machine);
    expect(news()).toMatchObject([{ plane: { type: 'connect next', link: CAROL } }]);
  });

  it('may be refused at once, or after a while', () => {
    const { address, identity } = carol.peer;
    const failed = { plane: { type: 'send inner', messages: [{ what: 'extendFail' }] } };
    const atOnce = serving({ type: 'failed', why: 'backing off' });
    extend(atOnce.machine);
    expect(atOnce.news()).toMatchObject([failed]);
    const later = serving();
    extend(later.machine);
    later.machine.onLinksEvent({ type: 'failed', identity, address, why: 'timeout' }, at(200));
    expect(later.news()).toMatchObject([failed]);
  });
});

describe('a link to a guard', () => {
  it('is kept as long as it is one, and no other is', () => {
    const guard = { peer: carol.peer, sinceMs: WALL_MS, untilMs: WALL_MS + MINUTE_MS };
    const { machine, said } = onion({ type: 'dialling' }, [guard]);
    const kept = (nowMs: number): string[] => {
      machine.onTick(at(nowMs));
      return said.splice(0).filter((what) => what.includes('kept'));
    };
    const alice = { ...linkUp(ALICE, false), identity: testHop('alice').peer.identity };
    machine.onLinksEvent({ type: 'up', ...alice }, at(0));
    machine.onLinksEvent({ type: 'up', ...linkUp(CAROL, true) }, at(0));
    expect(kept(1000)).toEqual([`${CAROL} kept`]);
    machine.onLinksEvent({ type: 'up', ...linkUp(CAROL, true) }, at(1500));
    expect(kept(MINUTE_MS - 1)).toEqual([]);
    expect(kept(MINUTE_MS + 1000)).toEqual([`${CAROL} not kept`]);
    expect(kept(2 * MINUTE_MS)).toEqual([]);
  });
});

describe('messages on a circuit that ends here', () => {
  it('are for the clients, one of which answers', () => {
    const { machine, news, emitted } = relaying();
    machine.addClient(3);
    const say = (type: number, data: Uint8Array): void => {
      for (const piece of encodeInner(type, data, 1)) {
        machine.onCircuitEvent({ type: 'inner', circuit: 1, message: padded(piece) }, at(400));
      }
    };
    say(INNER.open, Uint8Array.of(1, ...new Uint8Array(32)));
    say(INNER.data, Uint8Array.of(9));
    const [incoming] = emitted;
    const tunnel = incoming?.type === 'incoming' ? incoming.tunnel : 0;
    expect(emitted).toEqual([
      { type: 'incoming', client: 3, tunnel },
      { type: 'data', client: 3, tunnel, data: Uint8Array.of(9) },
    ]);
    machine.data(3, tunnel, Uint8Array.of(8), at(500));
    const messages = [{ what: 'data', data: Uint8Array.of(8) }];
    expect(news()).toEqual([
      { plane: { type: 'send inner', circuit: 1, queue: 'data', messages } },
    ]);
  });
});

describe('time', () => {
  it('leaves the next deadline in the future, and tells neighbours the load', () => {
    const { machine, said } = onion();
    for (let nowMs = 0; nowMs < 5000; nowMs = machine.nextDeadlineMs(at(nowMs))) {
      machine.onTick(at(nowMs));
      expect(machine.nextDeadlineMs(at(nowMs))).toBeGreaterThan(nowMs);
    }
    expect(said).toEqual(['load 0', 'load 0', 'load 0', 'load 0']);
  });

  it('ends circuits that have outlived their round', () => {
    const { machine } = serving();
    machine.onTick(at(335_000));
    expect(machine.status.relayed).toBe(1);
    machine.onTick(at(336_001));
    expect(machine.status.relayed).toBe(0);
  });

  it('fails a BUILD at the end of the next round when RPS gives nobody', () => {
    const { machine, emitted } = onion();
    machine.addClient(1);
    machine.build(1, carol.peer, at(0));
    const failures = () => emitted.filter(({ type }) => type === 'error');
    machine.onTick(at(5 * MINUTE_MS + 1));
    expect(failures()).toEqual([]);
    machine.onTick(at(10 * MINUTE_MS - 1));
    expect(failures()).toEqual([]);
    machine.onTick(at(10 * MINUTE_MS));
    expect(failures()).toEqual([{ type: 'error', client: 1, request: 'build', tunnel: 0 }]);
    expect(emitted.filter(({ type }) => type === 'want peers').length).toBeGreaterThan(1);
  });

  it('fails a BUILD whose round was slept through (attack 24)', () => {
    const { machine, emitted } = onion();
    machine.addClient(1);
    machine.build(1, carol.peer, at(0));
    machine.onTick({ nowMs: 1000, wallMs: WALL_MS + 8 * 60 * MINUTE_MS });
    expect(emitted).toContainEqual({ type: 'error', client: 1, request: 'build', tunnel: 0 });
  });

  it('brings a BUILD nearer when the clock is set back (attack 24)', () => {
    const { machine, emitted } = onion();
    machine.addClient(1);
    machine.build(1, carol.peer, at(0));
    const wallMs = WALL_MS - 8 * 60 * MINUTE_MS;
    machine.onTick({ nowMs: 1000, wallMs });
    machine.onTick({ nowMs: 2000, wallMs: wallMs + 5 * MINUTE_MS });
    expect(emitted.some(({ type }) => type === 'error')).toBe(false);
    machine.onTick({ nowMs: 3000, wallMs: wallMs + 10 * MINUTE_MS });
    expect(emitted).toContainEqual({ type: 'error', client: 1, request: 'build', tunnel: 0 });
  });
});
