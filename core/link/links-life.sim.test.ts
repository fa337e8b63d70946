// What keeps links alive, ends them and bounds them, with whole nodes in simulated worlds.

import { describe, expect, it } from 'vitest';
import { equalBytes } from '../bytes/index.ts';
import type { NodeDescriptor } from '../identity/index.ts';
import type { World } from '../sim/index.ts';
import { LINK_LIMITS } from './judge.ts';
import { linked, type SimNode, simulateLinks, startNode, startNodes } from './testing/sim-node.ts';
import { dataIndex, isData } from './wire.ts';

const HOUR_MS = 3_600_000;

interface Departure {
  readonly atMs: number;
  readonly index: number;
}

/** DATA packets that leave `node`. */
function dataOf(world: World, node: SimNode): Departure[] {
  const seen: Departure[] = [];
  world.tap(({ what, packet, atMs }) => {
    const isTheirs = what === 'sent' && packet.from.ip === node.host.ip && isData(packet.bytes);
    if (isTheirs) seen.push({ atMs, index: dataIndex(packet.bytes) });
  });
  return seen;
}

/** Both sides' circuits depend on their link. */
function setBusy(world: World, ...ends: readonly (readonly [SimNode, number])[]): void {
  for (const [node, link] of ends) {
    node.links.setInUse(link, true, world.nowMs());
    node.plane.setBusy(link, true);
  }
}

/** A cell every `gapMs` from `node`, with a number of four bytes in it; answers how many it has sent. */
function stream(world: World, node: SimNode, link: number, gapMs: number): () => number {
  let sent = 0;
  const body = new Uint8Array(4);
  const send = (): void => {
    new DataView(body.buffer).setUint32(0, sent);
    if (node.send(link, body)) sent++;
    world.after(gapMs, send);
  };
  send();
  return () => sent;
}

function numbers(node: SimNode): number[] {
  return node.cells.map(({ body }) => new DataView(body.buffer).getUint32(0));
}

describe('an idle link', () => {
  it('says something every 10 ± 2 s', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const [atA, atB] = await linked(world, a, b);
      a.links.setKept(atA, true);
      b.links.setKept(atB, true);
      await world.runFor(1000);
      const sent = dataOf(world, a);
      await world.runFor(230_000);
      const gaps = sent
        .map(({ atMs }, i) => atMs - (sent[i - 1]?.atMs ?? atMs))
        .filter((gap) => gap > 100);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(12_000);
      // Less only before PING and its answer, which come in between.
      expect(gaps.filter((gap) => gap >= 8000).length).toBeGreaterThan(10);
      expect(new Set(gaps.map(Math.round)).size).toBeGreaterThan(5);
    });
  });

  it('is dead after 25 s of silence', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const [atA] = await linked(world, a, b);
      await world.runFor(1000);
      world.partition([a.host], [b.host]);
      await world.runFor(24_000);
      expect(a.all('down')).toEqual([]);
      await world.runFor(2500);
      expect(a.event('down')).toMatchObject({ link: atA, why: 'dead' });
      expect(b.event('down')).toMatchObject({ why: 'dead' });
    });
  });
});

describe('a link with circuits', () => {
  it('is dead after 5 s of silence', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const [atA, atB] = await linked(world, a, b);
      setBusy(world, [a, atA], [b, atB]);
      stream(world, a, atA, 20);
      stream(world, b, atB, 20);
      await world.runFor(10_000);
      world.partition([a.host], [b.host]);
      await world.runFor(4900);
      expect(a.all('down')).toEqual([]);
      await world.runFor(1200);
      expect(a.event('down')).toMatchObject({ link: atA, why: 'dead' });
    });
  });

  it('has the same 5 s from the moment of its first circuit', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const [atA] = await linked(world, a, b);
      await world.runFor(7900);
      world.partition([a.host], [b.host]);
      setBusy(world, [a, atA]);
      await world.runFor(4900);
      expect(a.all('down')).toEqual([]);
      await world.runFor(1200);
      expect(a.event('down')?.why).toBe('dead');
    });
  });

  it('gets new keys every 4 minutes without losing a cell', async () => {
    await simulateLinks(
      { seed: 1, profile: { latency: { type: 'constant', ms: 30 } } },
      async (world) => {
        const [a, b] = await startNodes(world, ['alice', 'bob']);
        const [atA, atB] = await linked(world, a, b);
        setBusy(world, [a, atA], [b, atB]);
        const seen = dataOf(world, a);
        const sent = [stream(world, a, atA, 100), stream(world, b, atB, 100)];
        await world.runFor(500_000);
        const total = sent.map((count) => count());
        await world.runFor(90);
        expect(new Set(seen.map(({ index }) => index)).size).toBe(3);
        for (const [i, node] of [b, a].entries()) {
          expect(numbers(node)).toEqual(Array.from({ length: total[i] ?? 0 }, (_, n) => n));
          const sequences = node.cells.map(({ sequence }) => sequence);
          expect(sequences).toEqual(sequences.toSorted((x, y) => x - y));
        }
      },
    );
  });

  it('gets them over a bad network, too, losing no more than the network lost', async () => {
    const profile = {
      latency: { type: 'uniform', minMs: 10, maxMs: 80 },
      loss: 0.2,
      order: 'free',
    } as const;
    await simulateLinks({ seed: [1, 2, 3] }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const [atA, atB] = await linked(world, a, b);
      setBusy(world, [a, atA], [b, atB]);
      const seen = dataOf(world, a);
      const sent = stream(world, a, atA, 200);
      stream(world, b, atB, 200);
      world.profile(profile);
      await world.runFor(270_000);
      expect(new Set(seen.map(({ index }) => index)).size).toBe(2);
      expect([...a.all('down'), ...b.all('down')]).toEqual([]);
      expect(b.cells.length / sent()).toBeCloseTo(0.8, 1);
    });
  });
});

describe('LOAD', () => {
  it('tells neighbours, those of now and those to come, what work a circuit takes', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b, c] = await startNodes(world, ['alice', 'bob', 'carol']);
      await linked(world, a, b);
      expect(b.links.status(0).links[0]?.powBits).toBe(0);
      a.links.announceLoad(11);
      await linked(world, a, c);
      await world.runFor(100);
      expect(b.links.status(0).links[0]?.powBits).toBe(11);
      expect(c.links.status(0).links[0]?.powBits).toBe(11);
    });
  });

  it('is said again, so that a loss does no harm', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      await linked(world, a, b);
      await world.runFor(1000);
      const heal = world.partition([a.host], [b.host]);
      a.links.announceLoad(7);
      await world.runFor(10);
      heal();
      await world.runFor(31_000);
      expect(b.links.status(0).links[0]?.powBits).toBe(7);
    });
  });
});

describe('a ban', () => {
  it('holds for an hour, in both directions', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const [atA, atB] = await linked(world, a, b);
      // A cell that no honest neighbour sends: an unknown LINK_CTRL.
      const cell = Uint8Array.from({ length: 520 }, (_, i) =>
        i === 4 || i === 5 ? 1 : i === 8 ? 99 : 0,
      );
      b.plane.handle({ type: 'send control cell', link: atB, cell });
      await world.runFor(100);
      expect(a.event('down')).toMatchObject({ link: atA, why: 'violation' });
      expect(a.open(b, b.address)).toEqual({ type: 'failed', why: 'banned' });
      b.open(a, a.address);
      await world.until(() => b.event('failed') !== undefined);
      expect(b.event('failed')?.why).toBe('closed');
      await world.runFor(HOUR_MS);
      expect(a.open(b, b.address)).toEqual({ type: 'dialling' });
      await world.until(() => a.ups.length === 2);
    });
  });
});

describe('a proof of work', () => {
  it('is checked at both sides, and without one there is no link', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a] = await startNodes(world, ['alice'], { hasProof: () => false });
      const [b] = await startNodes(world, ['bob']);
      b.open(a, a.address);
      await world.until(() => b.event('failed') !== undefined);
      expect(b.event('failed')?.why).toBe('closed');
      a.open(b, b.address);
      await world.until(() => a.event('failed') !== undefined);
      expect(a.event('failed')?.why).toBe('no proof of work');
      expect([...a.ups, ...b.ups]).toEqual([]);
    });
  });

  it('is checked a little later when there are too many at once', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const others = await startNodes(world, ['bob', 'carol', 'dave', 'erin', 'frank']);
      const [b, , , , f] = others;
      const hasProof = (peer: NodeDescriptor): boolean => equalBytes(peer.identity, f.identity);
      const [a] = await startNodes(world, ['alice'], { hasProof });
      for (const other of others.slice(0, 4)) other.open(a, a.address);
      a.open(b, b.address);
      await world.runFor(10);
      f.open(a, a.address);
      await world.runFor(100);
      expect(a.ups).toEqual([]);
      await world.runFor(150);
      expect(a.ups.map(({ identity }) => identity)).toEqual([f.identity]);
    });
  });

  it('is checked once for each node', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const checked: number[] = [];
      const hasProof = (): boolean => checked.push(world.nowMs()) > 0;
      const [a] = await startNodes(world, ['alice'], { hasProof });
      const others = await startNodes(world, ['bob', 'carol', 'dave', 'erin', 'frank']);
      for (const other of others) other.open(a, a.address);
      await world.until(() => a.ups.length === 5);
      a.links.closeAll();
      await world.until(() => others.every((other) => other.event('down') !== undefined));
      for (const other of others) other.open(a, a.address);
      await world.until(() => a.ups.length === 10);
      expect(checked).toHaveLength(5);
    });
  });
});

describe('limits', () => {
  it('leave places for our own calls, whoever else wants a link', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const limits = { ...LINK_LIMITS, links: 4 };
      const [a] = await startNodes(world, ['alice'], { limits });
      const others = await startNodes(world, ['bob', 'carol', 'dave', 'erin', 'frank']);
      const [b, c, d, e, f] = others;
      for (const other of [b, c, d, e]) other.open(a, a.address);
      await world.runFor(10_000);
      expect(a.ups).toHaveLength(3);
      expect(a.open(f, f.address)).toEqual({ type: 'dialling' });
      await world.until(() => a.ups.length === 4);
      const [refused] = others.filter((other) => other.ups.length === 0);
      if (refused === undefined) throw new Error('somebody was refused');
      expect(a.open(refused, refused.address)).toEqual({ type: 'failed', why: 'too many links' });
      a.links.close(a.ups[0]?.link ?? 0);
      expect(a.open(refused, refused.address)).toEqual({ type: 'dialling' });
    });
  });

  it('hold for those who call us when all places are ours', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const limits = { ...LINK_LIMITS, links: 4 };
      const [a] = await startNodes(world, ['alice'], { limits });
      const others = await startNodes(world, ['bob', 'carol', 'dave', 'erin', 'frank']);
      for (const other of others.slice(0, 4)) a.open(other, other.address);
      await world.until(() => a.ups.length === 4);
      others[4].open(a, a.address);
      await world.runFor(10_000);
      expect(a.ups).toHaveLength(4);
    });
  });

  it.each([
    { allowPrivate: false, ups: 2 },
    { allowPrivate: true, ups: 4 },
  ])('count per netgroup, but not in test networks: $ups', async ({ allowPrivate, ups }) => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const limits = { ...LINK_LIMITS, perNetgroup: 2 };
      const [a] = await startNodes(world, ['alice'], { limits, allowPrivate });
      const neighbours = (['bob', 'carol', 'dave', 'erin'] as const).map((name, i) =>
        startNode(world, name, { host: world.host(name, { ips: [`50.60.0.${i + 1}`] }) }),
      );
      await world.until(() => neighbours.every((node) => node.event('listening')));
      for (const neighbour of neighbours) neighbour.open(a, a.address);
      await world.runFor(10_000);
      expect(a.ups).toHaveLength(ups);
      a.links.close(a.ups[0]?.link ?? 0);
      for (const neighbour of neighbours) neighbour.open(a, a.address);
      await world.runFor(15_000);
      for (const neighbour of neighbours) neighbour.open(a, a.address);
      await world.runFor(5_000);
      expect(a.links.status(0).links).toHaveLength(ups);
    });
  });
});
