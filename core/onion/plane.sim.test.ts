// Data planes on simulated hosts: what leaves and arrives, whatever happens. Who attacks them is in
// plane-attacks.sim.test.ts.

import { describe, expect, it } from 'vitest';
import { COMMAND } from '../link/index.ts';
import { randomBytes, SeededRng } from '../runtime/index.ts';
import { EU, type PathProfile, type SimulateOptions, simulate, type World } from '../sim/index.ts';
import { destroyCell, REASON, refusal } from './control-cells.ts';
import { TUNNEL_DATA_MAX } from './geometry.ts';
import { INNER } from './inner.ts';
import {
  addSession,
  createCells,
  createdCells,
  filled,
  join,
  lay,
  type PlaneNode,
  planeNode,
  rawNode,
  type Tunnel,
  watch,
} from './testing/planes.ts';

const TICK_MS = 20;
const NORMAL = refusal(REASON.normal);
const FAR: PathProfile = { latency: { type: 'constant', ms: 15 } };

interface Laid extends Tunnel {
  readonly world: World;
  readonly a: PlaneNode;
  readonly h1: PlaneNode;
  readonly h2: PlaneNode;
  readonly end: PlaneNode;
  readonly own: number;
  readonly last: number;
}

/** A tunnel over two relays whose slots have found their phases. */
function withTunnel(options: SimulateOptions, test: (laid: Laid) => Promise<void>): Promise<void> {
  return simulate(options, async (world) => {
    const [a, h1, h2, end] = ['a', 'h1', 'h2', 'end'].map((name) => planeNode(world, name)) as [
      PlaneNode,
      PlaneNode,
      PlaneNode,
      PlaneNode,
    ];
    await world.run(5);
    const tunnel = lay([a, h1, h2, end]);
    await world.runFor(3000);
    for (const node of [a, h1, h2, end]) node.events.splice(0);
    const [own = 0, , , last = 0] = tunnel.circuits;
    await test({ ...tunnel, world, a, h1, h2, end, own, last });
  });
}

function heads(node: PlaneNode): (number | undefined)[] {
  return node.received().map(({ data }) => data[0]);
}

describe('a tunnel of data planes', () => {
  it('carries data both ways, whole and in order', () =>
    withTunnel({ seed: 1, profile: FAR }, async ({ world, a, end, own, last }) => {
      for (let i = 0; i < 100; i++) {
        a.send(own, INNER.data, filled(i));
        end.send(last, INNER.data, filled(i + 1));
        await world.runFor(TICK_MS);
      }
      await world.runFor(500);
      expect(heads(end)).toEqual(Array.from({ length: 100 }, (_, i) => filled(i)[0]));
      expect(heads(a)).toEqual(Array.from({ length: 100 }, (_, i) => filled(i + 1)[0]));
    }));

  it('carries the longest message in as many slots as it has pieces', () =>
    withTunnel({ seed: 1, profile: FAR }, async ({ world, a, end, own }) => {
      a.send(own, INNER.data, filled(7, TUNNEL_DATA_MAX));
      await world.runFor(137 * TICK_MS);
      const { length } = end.events;
      await world.runFor(300);
      expect([length, end.events.length]).toEqual([expect.any(Number), 137]);
      expect(length).toBeGreaterThan(120);
      const [whole] = end.received();
      expect(whole).toEqual({ type: INNER.data, data: filled(7, TUNNEL_DATA_MAX) });
    }));

  it('says how many messages had to go for others', () =>
    withTunnel({ seed: 1 }, async ({ a, own }) => {
      for (let i = 0; i < 3; i++) a.send(own, INNER.data, filled(i, 30_000), i);
      expect(a.events).toEqual([{ type: 'data dropped', circuit: own, messages: 1 }]);
    }));

  it('echoes cover and probes once, as they were, and never an echo', () =>
    withTunnel({ seed: 1, profile: FAR }, async ({ world, a, h2, end, own }) => {
      const sent = [
        [INNER.cover, filled(1)],
        [INNER.probe, filled(2, 8)],
        [INNER.coverEcho, filled(3)],
        [INNER.probeAck, filled(4, 8)],
      ] as const;
      for (const [type, data] of sent) a.send(own, type, data);
      await world.runFor(1000);
      expect(a.received()).toEqual([
        { type: INNER.coverEcho, data: filled(1) },
        { type: INNER.probeAck, data: filled(2, 8) },
      ]);
      expect(end.received().map(({ type }) => type)).toEqual([INNER.coverEcho, INNER.probeAck]);
      expect(h2.events).toEqual([]);
    }));

  it('goes on when its links get new keys', () =>
    withTunnel({ seed: 1, profile: FAR }, async ({ world, a, h1, h2, end, own, links }) => {
      for (let i = 0; i < 100; i++) {
        a.send(own, INNER.data, filled(i));
        if (i === 30) addSession(h1, h2, links[1] ?? [0, 0]);
        if (i === 60) addSession(h2, end, links[2] ?? [0, 0]);
        await world.runFor(TICK_MS);
      }
      await world.runFor(500);
      expect(heads(end)).toEqual(Array.from({ length: 100 }, (_, i) => filled(i)[0]));
    }));

  it('is judged silent when nothing comes, and well when noise stops', () =>
    withTunnel({ seed: 1, profile: FAR }, async ({ world, a, h1, own }) => {
      const failing = { type: 'circuit failing', circuit: own, why: 'silent' };
      const undo = world.block({ from: h1.host, to: a.host });
      await world.runFor(2900);
      expect(a.events).toEqual([]);
      await world.runFor(1200);
      expect(a.events).toContainEqual(failing);
      undo();
      await world.runFor(1200);
      a.events.splice(0);
      await world.runFor(5000);
      expect(a.events).not.toContainEqual(failing);
    }));

  it('is judged unanswered when only what it sends is lost, and not at rest', () =>
    withTunnel({ seed: 1, profile: FAR }, async ({ world, a, h1, h2, own }) => {
      await world.runFor(60_000);
      expect(a.events).toEqual([]);
      world.block({ from: h1.host, to: h2.host });
      await world.runFor(20_000);
      const failing = { type: 'circuit failing', circuit: own, why: 'unanswered' };
      expect(a.events[0]).toEqual(failing);
    }));
});

describe('on every link of a tunnel, each way, one packet of one size in every slot (attack 7)', () => {
  const SECONDS = 12;
  const SLOTS = (SECONDS * 1000) / TICK_MS;

  type Load = (laid: Laid, slot: number) => void;
  const LOADS: Readonly<Record<string, Load>> = {
    idle: () => {},
    data: ({ a, end, own, last }, slot) => {
      a.send(own, INNER.data, filled(slot));
      end.send(last, INNER.data, filled(slot));
    },
    cover: ({ a, own }, slot) => a.send(own, INNER.cover, filled(slot)),
    'too much': ({ a, end, own, last }, slot) => {
      if (slot % 25 > 0) return;
      a.send(own, INNER.data, filled(slot, TUNNEL_DATA_MAX), slot);
      end.send(last, INNER.data, filled(slot, TUNNEL_DATA_MAX), slot);
    },
    'control messages': ({ h1, circuits }, slot) => {
      const messages = [filled(slot, 20)];
      h1.handle({ type: 'send inner', circuit: circuits[1] ?? 0, queue: 'control', messages });
    },
    'new keys': ({ h1, h2, links }, slot) => {
      if (slot % 50 === 0) addSession(h1, h2, links[1] ?? [0, 0]);
    },
    'an outage': ({ world, h1, h2 }, slot) => {
      if (slot !== 100) return;
      world.block({ from: h1.host, to: h2.host });
    },
  };

  it.each(Object.entries(LOADS))('with %s', (_, load) =>
    withTunnel({ seed: 2, profile: EU }, async (laid) => {
      const { world, nodes } = laid;
      const flows = nodes.slice(1).flatMap((node, i) => {
        const { address } = nodes[i] ?? node;
        return [watch(world, address, node.address), watch(world, node.address, address)];
      });
      for (let slot = 0; slot < SLOTS; slot++) {
        load(laid, slot);
        await world.runFor(TICK_MS);
      }
      for (const flow of flows) {
        expect(flow.length).toBe(SLOTS);
        expect(new Set(flow.map(({ bytes }) => bytes))).toEqual(new Set([552]));
        const gaps = flow.slice(1).map(({ atMs }, i) => atMs - (flow[i]?.atMs ?? 0));
        expect(Math.min(...gaps)).toBeCloseTo(TICK_MS, 2);
        expect(Math.max(...gaps)).toBeCloseTo(TICK_MS, 2);
      }
    }),
  );

  it('from the first CREATE to the last DESTROY', async () => {
    await simulate({ seed: 3 }, async (world) => {
      const [a, neighbour] = [planeNode(world, 'a'), rawNode(world, 'neighbour')];
      await world.run(5);
      const [link] = join(a, neighbour);
      const cells = createCells(9);
      a.handle({ type: 'add own', circuit: 1, link, circId: 9, cells });
      await world.runFor(100 * TICK_MS);
      a.handle({ type: 'send cells', circuit: 1, side: 'next', cells });
      await world.runFor(50 * TICK_MS);
      const why = NORMAL;
      const bye = [destroyCell(new SeededRng(1), 9, why)];
      a.handle({ type: 'send cells', circuit: 1, side: 'next', cells: bye });
      a.handle({ type: 'remove', circuit: 1 });
      await world.runFor(2000);
      const { create, relay, destroy } = COMMAND;
      expect(neighbour.cells.map(({ command }) => command)).toEqual([
        ...Array(3).fill(create),
        ...Array(97).fill(relay),
        ...Array(3).fill(create),
        ...Array(47).fill(relay),
        destroy,
      ]);
      const times = neighbour.cells.map(({ atMs }) => atMs);
      expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeCloseTo(150 * TICK_MS, 1);
    });
  });
});

describe('a relay', () => {
  it('sends noise for what does not come, and the next one cannot tell', () =>
    withTunnel({ seed: 4, profile: FAR }, async ({ world, a, h1, h2, end, own }) => {
      const flow = watch(world, h1.address, h2.address);
      const before = [h1.counters.cellsSubstituted, h2.counters.cellsSubstituted];
      for (let slot = 0; slot < 150; slot++) {
        a.send(own, INNER.data, filled(slot));
        if (slot === 50) {
          const undo = world.block({ from: a.host, to: h1.host });
          world.after(50 * TICK_MS, undo);
        }
        await world.runFor(TICK_MS);
      }
      await world.runFor(1100);
      expect(flow.length).toBe(205);
      const arrived = heads(end);
      expect(arrived.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, i) => filled(i)[0]));
      const substituted = h1.counters.cellsSubstituted - (before[0] ?? 0);
      expect(arrived.length + substituted).toBe(150);
      expect(Math.abs(substituted - 50)).toBeLessThanOrEqual(1);
      expect(h2.counters.cellsSubstituted).toBe(before[1]);
    }));

  it('is an endpoint until it relays, and again when its next hop is gone', async () => {
    await simulate({ seed: 5, profile: FAR }, async (world) => {
      const [a, h1] = [planeNode(world, 'a'), planeNode(world, 'h1')];
      const next = rawNode(world, 'next');
      await world.run(5);
      const { circuits } = lay([a, h1]);
      const [own = 0, circuit = 0] = circuits;
      const [link] = join(h1, next);
      const talk = async (tag: number): Promise<boolean> => {
        a.send(own, INNER.data, filled(tag));
        await world.runFor(200);
        return h1.received().length > 0;
      };
      await world.runFor(1000);
      expect(await talk(1)).toBe(true);
      h1.handle({ type: 'connect next', circuit, link, circId: 77, cells: createCells(77) });
      await world.runFor(500);
      expect(next.cells.slice(0, 3).map(({ command }) => command)).toEqual([2, 2, 2]);
      expect(await talk(2)).toBe(true);
      h1.handle({ type: 'relay', circuit });
      expect(await talk(3)).toBe(true);
      await world.runFor(2000);
      expect(next.bodies(77).length).toBeGreaterThan(100);
      h1.handle({ type: 'disconnect next', circuit });
      await world.runFor(1000);
      const [{ length }, { cellsSubstituted }] = [next.cells, h1.counters];
      await world.runFor(2000);
      expect([next.cells.length, h1.counters.cellsSubstituted]).toEqual([length, cellsSubstituted]);
      expect(await talk(4)).toBe(true);
    });
  });

  it('holds no more than 16 control cells for a circuit', async () => {
    await simulate({ seed: 6 }, async (world) => {
      const [h1, neighbour] = [planeNode(world, 'h1'), rawNode(world, 'neighbour')];
      await world.run(5);
      const [link] = join(h1, neighbour);
      const cells = createdCells(9);
      const secret = randomBytes(h1.rng, 32);
      h1.handle({ type: 'add relayed', circuit: 1, link, circId: 9, secret, cells });
      for (let i = 0; i < 100; i++) {
        h1.handle({ type: 'send cells', circuit: 1, side: 'prev', cells });
      }
      await world.runFor(1000);
      const commands = neighbour.cells.map(({ command }) => command);
      expect(commands).toEqual([...Array(16).fill(COMMAND.created), ...Array(34).fill(4)]);
    });
  });

  it('works on no more cells than a neighbour has slots, and a burst', async () => {
    await simulate({ seed: 8 }, async (world) => {
      const [h1, neighbour] = [planeNode(world, 'h1'), rawNode(world, 'neighbour')];
      await world.run(5);
      const [atNeighbour, link] = join(neighbour, h1);
      const secret = randomBytes(h1.rng, 32);
      h1.handle({ type: 'add relayed', circuit: 1, link, circId: 9, secret, cells: [] });
      for (let i = 0; i < 1000; i++) neighbour.sendBody(atNeighbour, 9, filled(i, 512));
      await world.runFor(1100);
      expect(h1.counters.cellsRelayed).toBe(64);
      expect(h1.counters.cellsExcess).toBe(936);
    });
  });

  it('passes on no more than 256 control cells of a neighbour in a second', async () => {
    await simulate({ seed: 7 }, async (world) => {
      const [h1, neighbour] = [planeNode(world, 'h1'), rawNode(world, 'neighbour')];
      await world.run(5);
      const [, link] = join(h1, neighbour);
      const flood = () => {
        for (let i = 0; i < 400; i++) neighbour.sendCell(link, createCells(i + 1)[0] ?? filled(0));
      };
      flood();
      await world.runFor(500);
      expect(h1.events.filter(({ type }) => type === 'cell')).toHaveLength(256);
      await world.runFor(600);
      flood();
      await world.runFor(100);
      expect(h1.events.filter(({ type }) => type === 'cell')).toHaveLength(512);
    });
  });

  it('passes on one DESTROY of every circuit, also when all end at once', async () => {
    await simulate({ seed: 9 }, async (world) => {
      const [h1, neighbour] = [planeNode(world, 'h1'), rawNode(world, 'neighbour')];
      await world.run(5);
      const [atNeighbour, link] = join(neighbour, h1);
      const secret = randomBytes(h1.rng, 32);
      for (let circuit = 1; circuit <= 400; circuit++) {
        h1.handle({ type: 'add relayed', circuit, link, circId: circuit, secret, cells: [] });
      }
      for (let i = 0; i < 800; i++) {
        neighbour.sendCell(atNeighbour, destroyCell(h1.rng, 1 + (i % 400), NORMAL));
      }
      await world.runFor(500);
      const ended = h1.events.flatMap((event) => (event.type === 'cell' ? [event.circuit] : []));
      expect([new Set(ended).size, ended.length]).toEqual([400, 400 + 256]);
    });
  });
});
