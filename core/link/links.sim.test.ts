// Whole nodes of links in simulated worlds: how links come up, live and end. What attackers try is in
// links-attacks.sim.test.ts, how nodes call each other in dialling.sim.test.ts.

import { describe, expect, it } from 'vitest';
import { compareBytes } from '../bytes/index.ts';
import type { PathProfile } from '../sim/index.ts';
import { linked, nodeOf, simulateLinks, startNode, startNodes } from './testing/sim-node.ts';

const SILENT = { ip: '99.9.9.9', port: 4000 };
const DELAY_MS = 20;
const FAR: PathProfile = { latency: { type: 'constant', ms: DELAY_MS } };

describe('a link', () => {
  it('comes up over UDP, carries cells both ways and is known at both sides', async () => {
    await simulateLinks({ seed: 1, profile: FAR }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const [atA, atB] = await linked(world, a, b);
      expect(a.ups[0]).toMatchObject({ initiator: true, identity: b.identity, address: b.address });
      expect(b.ups[0]).toMatchObject({
        initiator: false,
        identity: a.identity,
        address: a.address,
      });
      expect(a.ups[0]?.descriptor.encoded).toEqual(nodeOf('bob').descriptor.encoded);
      expect(a.send(atA, Uint8Array.of(1, 2))).toBe(true);
      expect(b.send(atB, Uint8Array.of(3))).toBe(true);
      await world.until(() => a.cells.length + b.cells.length === 2);
      expect(b.cells[0]).toMatchObject({ link: atB });
      expect(b.cells[0]?.body.subarray(0, 3)).toEqual(Uint8Array.of(1, 2, 0));
      expect(a.cells[0]?.body.subarray(0, 2)).toEqual(Uint8Array.of(3, 0));
    });
  });

  it('tells its transport, its age and the round trip', async () => {
    await simulateLinks({ seed: 1, profile: FAR }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      await linked(world, a, b);
      await world.runFor(1000);
      const { links, dropped } = a.links.status(a.now.nowMs);
      expect(links).toHaveLength(1);
      expect(links[0]).toMatchObject({ transport: 'udp', initiator: true, identity: b.identity });
      expect(links[0]?.rttMs).toBeCloseTo(2 * DELAY_MS, 0);
      expect(links[0]?.ageMs).toBeGreaterThanOrEqual(1000);
      expect(dropped).toBe(0);
    });
  });

  it('is used again, and called only once', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      expect(a.open(b, b.address)).toEqual({ type: 'dialling' });
      expect(a.open(b, b.address)).toEqual({ type: 'dialling' });
      await world.until(() => a.ups.length === 1 && b.ups.length === 1);
      expect(a.open(b, b.address)).toMatchObject({ type: 'up', link: a.ups[0]?.link });
      expect(b.open(a, a.address)).toMatchObject({ type: 'up', link: b.ups[0]?.link });
      await world.runFor(5000);
      expect([a.ups.length, b.ups.length]).toEqual([1, 1]);
    });
  });

  it('survives loss', async () => {
    const profile: PathProfile = { ...FAR, loss: 0.05, duplicate: 0.05, order: 'free' };
    await simulateLinks({ seed: [1, 2, 3], profile }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      await linked(world, a, b);
      await world.runFor(50_000);
      expect([...a.all('down'), ...b.all('down')]).toEqual([]);
    });
  });

  it('ends at both sides when one closes it', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const [atA, atB] = await linked(world, a, b);
      a.links.close(atA);
      await world.runFor(100);
      expect(a.event('down')).toEqual({
        type: 'down',
        link: atA,
        identity: b.identity,
        why: 'ended',
      });
      expect(b.event('down')).toEqual({
        type: 'down',
        link: atB,
        identity: a.identity,
        why: 'closed',
      });
      expect(a.send(atA, Uint8Array.of(1))).toBe(false);
    });
  });

  it('says goodbye to everybody when the program ends', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      await linked(world, a, b);
      a.links.closeAll();
      await world.until(() => b.event('down')?.why === 'closed');
    });
  });
});

describe('two nodes that call each other', () => {
  it('keep the link of the smaller identity, and lose no cell', async () => {
    const profile: PathProfile = {
      latency: { type: 'uniform', minMs: 20, maxMs: 24 },
      order: 'free',
    };
    let crossed = 0;
    await simulateLinks({ seed: [1, 2, 3, 4, 5, 6, 7, 8], profile }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      a.open(b, b.address);
      b.open(a, a.address);
      await world.until(() => a.ups.length > 0 && b.ups.length > 0);
      await world.runFor(1000);
      if (a.ups.length === 2) crossed++;
      const chosen = [a, b].map((node) => node.open(node === a ? b : a, SILENT));
      expect(chosen.map(({ type }) => type)).toEqual(['up', 'up']);
      const smaller = compareBytes(a.identity, b.identity) < 0 ? a : b;
      if (a.ups.length === 2) {
        expect(chosen[smaller === a ? 0 : 1]).toMatchObject({ initiator: true });
        expect(chosen[smaller === a ? 1 : 0]).toMatchObject({ initiator: false });
      }
      for (const { link } of a.ups) a.send(link, Uint8Array.of(link));
      await world.runFor(15_000);
      expect(b.cells).toHaveLength(a.ups.length);
      expect(a.links.status(0).links).toHaveLength(1);
      expect(b.links.status(0).links).toHaveLength(1);
      expect([...a.all('failed'), ...b.all('failed')]).toEqual([]);
    });
    expect(crossed).toBeGreaterThan(2);
  });

  it('keep using the other link for the circuits it has', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      a.open(b, b.address);
      b.open(a, a.address);
      await world.until(() => a.ups.length === 2 && b.ups.length === 2);
      for (const node of [a, b]) {
        for (const { link } of node.ups) node.links.setInUse(link, true, node.now.nowMs);
      }
      await world.runFor(120_000);
      expect(a.links.status(0).links).toHaveLength(2);
      for (const node of [a, b]) {
        for (const { link } of node.ups) node.links.setInUse(link, false, node.now.nowMs);
        node.schedule();
      }
      await world.runFor(11_000);
      expect(a.links.status(0).links).toHaveLength(1);
    });
  });
});

describe('a node that comes back', () => {
  it.each([
    ['alice', 'bob'],
    ['bob', 'alice'],
  ] as const)('gets a new link in place of the one %s had begun with it', async (first, second) => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, [first, second]);
      const [old] = await linked(world, a, b);
      await world.runFor(11_000);
      b.host.crash();
      const again = startNode(world, second, { host: b.host });
      await world.until(() => again.event('listening') !== undefined);
      const [, fresh] = await linked(world, again, a);
      expect(a.open(again, again.address)).toMatchObject({ type: 'up', link: fresh });
      await world.runFor(9000);
      expect(a.links.status(0).links.map(({ link }) => link)).toEqual([old, fresh]);
      await world.runFor(2000);
      expect(a.event('down')).toMatchObject({ link: old });
    });
  });

  it('has two links at the most', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      await linked(world, b, a);
      for (let i = 0; i < 3; i++) {
        b.host.crash();
        const again = startNode(world, 'bob', { host: b.host });
        await world.until(() => again.event('listening') !== undefined);
        await linked(world, again, a);
      }
      expect(a.ups).toHaveLength(4);
      expect(a.all('down').map(({ why }) => why)).toEqual(['replaced', 'replaced']);
      expect(a.links.status(0).links).toHaveLength(2);
    });
  });
});

describe('a link without circuits', () => {
  it('is closed after a minute', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      await linked(world, a, b);
      const startMs = world.nowMs();
      await world.until(
        () => a.event('down') !== undefined && b.event('down') !== undefined,
        70_000,
      );
      expect(Math.round((world.nowMs() - startMs) / 100)).toBe(600);
      expect([a.event('down')?.why, b.event('down')?.why]).toContain('idle');
    });
  });

  it('stays while it is kept or in use at both sides', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const [atA, atB] = await linked(world, a, b);
      a.links.setInUse(atA, true, a.now.nowMs);
      b.links.setKept(atB, true);
      await world.runFor(200_000);
      expect([...a.all('down'), ...b.all('down')]).toEqual([]);
      a.links.setInUse(atA, false, a.now.nowMs);
      a.schedule();
      await world.runFor(59_000);
      expect(a.all('down')).toEqual([]);
      await world.runFor(1500);
      expect(a.event('down')?.why).toBe('idle');
    });
  });
});
