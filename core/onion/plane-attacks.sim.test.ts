// Hostile neighbours around one honest relay (protocol 12): what they do on one side must not show on the other. The
// attackers hold both sides of the relay and say whatever they like; only the relay's own keys they do not have.

import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { Lioness } from '../crypto/index.ts';
import type { LinkId } from '../link/index.ts';
import { type Rng, randomBelow, randomBytes, SeededRng } from '../runtime/index.ts';
import { type PathProfile, type SimulateOptions, simulate, type World } from '../sim/index.ts';
import { destroyCell, REASON, refusal } from './control-cells.ts';
import { BODY_BYTES } from './geometry.ts';
import { HopLayer } from './layers.ts';
import { provider } from './testing/hops.ts';
import {
  createCells,
  createdCells,
  join,
  type PlaneNode,
  planeNode,
  type RawNode,
  rawNode,
} from './testing/planes.ts';

const TICK_MS = 20;
const BEFORE = 7;
const BEHIND = 8;
const JITTERY: PathProfile = { latency: { type: 'uniform', minMs: 10, maxMs: 18 }, loss: 0.01 };

interface Surrounded {
  readonly world: World;
  readonly before: RawNode;
  readonly relay: PlaneNode;
  readonly behind: RawNode;
  /** The links as the attackers know them. */
  readonly linkBefore: LinkId;
  readonly linkBehind: LinkId;
  readonly secret: Uint8Array;
}

/** An honest relay between two attackers, with one circuit through it, its slots in phase. */
function surrounded(
  options: SimulateOptions,
  test: (around: Surrounded) => Promise<void>,
): Promise<void> {
  return simulate(options, async (world) => {
    const [before, behind] = [rawNode(world, 'before'), rawNode(world, 'behind')];
    const relay = planeNode(world, 'relay');
    await world.run(5);
    const [linkBefore, prev] = join(before, relay);
    const [next, linkBehind] = join(relay, behind);
    const secret = randomBytes(world.rng('secret'), 32);
    const added = { circuit: 1, link: prev, circId: BEFORE, secret, cells: createdCells(BEFORE) };
    relay.handle({ type: 'add relayed', ...added });
    const cells = createCells(BEHIND);
    relay.handle({ type: 'connect next', circuit: 1, link: next, circId: BEHIND, cells });
    relay.handle({ type: 'relay', circuit: 1 });
    const around = { world, before, relay, behind, linkBefore, linkBehind, secret };
    for (let slot = 0; slot < 75; slot++) {
      before.sendBody(linkBefore, BEFORE, randomBytes(before.rng, BODY_BYTES));
      behind.sendBody(linkBehind, BEHIND, randomBytes(behind.rng, BODY_BYTES));
      await world.runFor(TICK_MS);
    }
    for (const node of [before, behind]) node.cells.splice(0);
    await test(around);
  });
}

/** A body that was sent before, or, now and then, a new one that is like it in all but its first bytes or its end. */
function replayed(rng: Rng, sent: readonly Uint8Array[]): Uint8Array {
  const old = sent[randomBelow(rng, sent.length)] ?? new Uint8Array(BODY_BYTES);
  const end = 8 + randomBelow(rng, BODY_BYTES - 8);
  const ways = [old, old.slice().fill(0, end), old.with(0, (old[0] ?? 0) ^ 1)];
  return ways[randomBelow(rng, ways.length)] ?? old;
}

function distinct(bodies: readonly Uint8Array[]): number {
  return new Set(bodies.map(toHex)).size;
}

describe('a body that a hop replays (attack 3)', () => {
  const SLOTS = 600;

  it.each(['forward', 'backward'] as const)('comes out %s only once, and noise after', (way) =>
    surrounded({ seed: [1, 2] }, async (around) => {
      const { world, before, behind, linkBefore, linkBehind, relay } = around;
      const rng = world.rng('replays');
      const sent: Uint8Array[] = [];
      const send = (body: Uint8Array) =>
        way === 'forward'
          ? before.sendBody(linkBefore, BEFORE, body)
          : behind.sendBody(linkBehind, BEHIND, body);
      const replays = relay.counters.cellsReplayed;
      for (let slot = 0; slot < SLOTS; slot++) {
        if (slot % 2 === 0) sent.push(randomBytes(rng, BODY_BYTES));
        send(slot % 2 === 0 ? (sent.at(-1) ?? new Uint8Array()) : replayed(rng, sent));
        await world.runFor(TICK_MS);
      }
      await world.runFor(1000);
      const seen = (way === 'forward' ? behind.bodies(BEHIND) : before.bodies(BEFORE)).map(
        ({ body }) => body,
      );
      expect(seen.length).toBe(SLOTS + 50);
      expect(distinct(seen)).toBe(seen.length);
      expect(relay.counters.cellsReplayed - replays).toBeGreaterThan(SLOTS / 4);
    }),
  );

  it('is noise also when it comes in the other direction', () =>
    surrounded({ seed: 3 }, async ({ world, before, behind, linkBefore, linkBehind }) => {
      const rng = world.rng('reflections');
      for (let slot = 0; slot < 200; slot++) {
        const body = randomBytes(rng, BODY_BYTES);
        before.sendBody(linkBefore, BEFORE, body);
        behind.sendBody(linkBehind, BEHIND, body);
        await world.runFor(TICK_MS);
      }
      const seen = [...before.bodies(BEFORE), ...behind.bodies(BEHIND)].map(({ body }) => body);
      expect(distinct(seen)).toBe(seen.length);
    }));
});

/** Of two series, Pearson's. 0 when one of them does not vary. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (of: readonly number[]) => of.reduce((sum, one) => sum + one, 0) / of.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const product = a.reduce((sum, one, i) => sum + (one - meanA) * ((b[i] ?? 0) - meanB), 0);
  const squares = (of: readonly number[], middle: number) =>
    of.reduce((sum, one) => sum + (one - middle) ** 2, 0);
  const scale = Math.sqrt(squares(a, meanA) * squares(b, meanB));
  return scale === 0 ? 0 : product / scale;
}

describe('a pattern that H1 puts on the cells (attack 5)', () => {
  const BIN_MS = 400;
  const BINS = 80;
  const SLOTS_PER_BIN = BIN_MS / TICK_MS;

  type Mark = (isOn: boolean, slot: number) => readonly number[];
  /** By how much each slot's cells are late; none: it is dropped. */
  const MARKS: Readonly<Record<string, Mark>> = {
    'dropping everything or nothing': (isOn) => (isOn ? [0] : []),
    'dropping every third': (isOn, slot) => (isOn || slot % 3 > 0 ? [0] : []),
    'delaying by 15 ms': (isOn) => [isOn ? 15 : 0],
    bursts: (isOn, slot) => (isOn ? [0] : slot === 0 ? Array(SLOTS_PER_BIN).fill(0) : []),
    'sending twice as many': (isOn) => (isOn ? [0, 10] : [0]),
  };

  /** What an observer measures in each bin: how many cells, and how late they are on average within the tick. */
  function features(times: readonly number[], fromMs: number) {
    const bins = Array.from({ length: BINS }, (_, i) =>
      times.filter((atMs) => Math.floor((atMs - fromMs) / BIN_MS) === i),
    );
    const gaps = times.slice(1).map((atMs, i) => ({ atMs, gapMs: atMs - (times[i] ?? 0) }));
    return {
      counts: bins.map((bin) => bin.length),
      lateness: bins.map(
        (bin) => bin.reduce((sum, ms) => sum + (ms % TICK_MS), 0) / bin.length || 0,
      ),
      wildness: bins.map((_, i) =>
        gaps
          .filter(({ atMs }) => Math.floor((atMs - fromMs) / BIN_MS) === i)
          .reduce((sum, { gapMs }) => sum + (gapMs - TICK_MS) ** 2, 0),
      ),
    };
  }

  /** The largest correlation with any feature, at any shift of up to two bins: what an attacker would look for. */
  function found(pattern: readonly number[], seen: ReturnType<typeof features>): number {
    const all = Object.values(seen).flatMap((feature) =>
      [0, 1, 2].map((shift) =>
        Math.abs(correlation(pattern.slice(0, BINS - shift), feature.slice(shift))),
      ),
    );
    return Math.max(...all);
  }

  function patternOf(rng: Rng): number[] {
    return Array.from({ length: BINS }, () => randomBelow(rng, 2));
  }

  it.each(Object.entries(MARKS))('shows before an honest relay and not behind it: %s', (_, mark) =>
    surrounded({ seed: [11, 12], profile: JITTERY }, async (around) => {
      const { world, before, relay, behind, linkBefore } = around;
      const rng = world.rng('pattern');
      const pattern = patternOf(rng);
      const fromMs = world.nowMs();
      const wire: number[] = [];
      world.tap(({ what, packet, atMs }) => {
        const isOurs = packet.from.ip === before.address.ip && packet.to.ip === relay.address.ip;
        if (what === 'arrived' && isOurs) wire.push(atMs);
      });
      for (const isOn of pattern) {
        for (let slot = 0; slot < SLOTS_PER_BIN; slot++) {
          for (const lateMs of mark(isOn === 1, slot)) {
            const body = randomBytes(rng, BODY_BYTES);
            world.after(lateMs, () => before.sendBody(linkBefore, BEFORE, body));
          }
          await world.runFor(TICK_MS);
        }
      }
      const behindTimes = behind.bodies(BEHIND).map(({ atMs }) => atMs);
      const seenBehind = features(behindTimes, fromMs);
      const chance = Array.from({ length: 400 }, () => found(patternOf(rng), seenBehind));
      const limit = chance.sort((a, b) => a - b)[Math.floor(0.99 * chance.length)] ?? 0;
      expect(found(pattern, features(wire, fromMs))).toBeGreaterThan(0.6);
      expect(found(pattern, seenBehind)).toBeLessThanOrEqual(limit);
    }),
  );
});

describe('a neighbour that sends on the circuit number of another (attack 30)', () => {
  it('is ignored and counted, and disturbs nothing', () =>
    surrounded({ seed: 21 }, async (around) => {
      const { world, before, relay, behind, linkBefore, secret } = around;
      const intruder = rawNode(world, 'intruder');
      await world.runFor(5);
      const [atIntruder] = join(intruder, relay);
      await world.runFor(1000);
      const unowned = relay.counters.cellsUnowned;
      const rng = world.rng('bodies');
      const layer = new HopLayer(new Lioness(provider), secret);
      const passed = new Set<string>();
      const injected = new Set<string>();
      const peeled = (body: Uint8Array): string => {
        const copy = body.slice();
        layer.takeOffForward(copy);
        return toHex(copy);
      };
      behind.cells.splice(0);
      for (let slot = 0; slot < 200; slot++) {
        const [ours, theirs] = [randomBytes(rng, BODY_BYTES), randomBytes(rng, BODY_BYTES)];
        before.sendBody(linkBefore, BEFORE, ours);
        for (const circId of [BEFORE, BEHIND]) intruder.sendBody(atIntruder, circId, theirs);
        passed.add(peeled(ours));
        injected.add(peeled(theirs)).add(toHex(theirs));
        await world.runFor(TICK_MS);
      }
      await world.runFor(1000);
      const seen = behind.bodies(BEHIND).map(({ body }) => toHex(body));
      expect(seen.filter((body) => passed.has(body))).toHaveLength(200);
      expect(seen.filter((body) => injected.has(body))).toEqual([]);
      expect(relay.counters.cellsUnowned - unowned).toBe(400);
      expect(intruder.cells).toEqual([]);
    }));

  it('names no circuit to the control plane with its CREATE, CREATED and DESTROY', () =>
    surrounded({ seed: 22 }, async ({ world, relay, before, linkBefore }) => {
      const intruder = rawNode(world, 'intruder');
      await world.runFor(5);
      const [atIntruder, link] = join(intruder, relay);
      relay.events.splice(0);
      const destroy = (circId: number) =>
        destroyCell(new SeededRng(1), circId, refusal(REASON.normal));
      for (const circId of [BEFORE, BEHIND]) {
        const cells = [createCells(circId)[0], createdCells(circId)[0], destroy(circId)];
        for (const cell of cells) if (cell !== undefined) intruder.sendCell(atIntruder, cell);
      }
      before.sendCell(linkBefore, destroy(BEHIND));
      before.sendCell(linkBefore, destroy(BEFORE));
      await world.runFor(100);
      const named = relay.events.flatMap((event) =>
        event.type === 'cell' ? [[event.link === link, event.circuit, event.side]] : [],
      );
      expect(named).toEqual([
        ...Array(6).fill([true, undefined, undefined]),
        [false, undefined, undefined],
        [false, 1, 'prev'],
      ]);
    }));
});
