// Links over streams: what attackers try with them, and what happens when they back up.

import { describe, expect, it } from 'vitest';
import type { Address, TcpStream } from '../runtime/index.ts';
import type { Host, World } from '../sim/index.ts';
import { CELL_BYTES } from './cells.ts';
import { linked, simulateLinks, startNodes } from './testing/sim-node.ts';
import { authentic, initTo, newestSession } from './testing/villain.ts';
import { DATAGRAM_BYTES } from './wire.ts';

/** Half of what one circuit needs. */
const SLOW = { access: { upBytesPerSecond: 15_000, queueMs: 100 } };

/** A stranger who dials `to` and writes as told. */
async function dialRaw(world: World, to: Address, host: Host = world.host('stranger')) {
  const seen = { closedMs: Number.POSITIVE_INFINITY, bytes: 0 };
  const handlers = {
    onData: (bytes: Uint8Array): void => {
      seen.bytes += bytes.length;
    },
    onClose: (): void => {
      seen.closedMs = world.nowMs();
    },
  };
  const { network } = host.start();
  const stream = await world.complete(network.dialTcp(to, { timeoutMs: 5000, handlers }));
  return { stream, seen, isOpen: () => seen.closedMs === Number.POSITIVE_INFINITY };
}

/** A byte now and then. */
function trickle(world: World, stream: TcpStream, everyMs: number): void {
  for (let i = 0; i < 500; i++) world.after(i * everyMs, () => stream.write(Uint8Array.of(1)));
}

describe('attack 6: wrong sizes on a stream', () => {
  it('close a stream, whose bytes are its owner s own in effect', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      world.block({ protocol: 'udp' });
      const [atA, atB] = await linked(world, a, b);
      const { route } = newestSession(b);
      const short = authentic(b, new Uint8Array(CELL_BYTES - 1), 1_000_000);
      b.plane.handle({ type: 'send packet', route, packet: short });
      b.send(atB, Uint8Array.of(1));
      await world.runFor(1000);
      expect(a.event('down')).toMatchObject({ link: atA, why: 'stream closed' });
      expect(b.event('down')).toMatchObject({ link: atB, why: 'stream closed' });
      expect(a.links.status(0).bans).toBe(0);
    });
  });
});

describe('a forged packet on a stream', () => {
  it('closes it, as nobody else can have written it', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      world.block({ protocol: 'udp' });
      await linked(world, a, b);
      const forged = authentic(b, new Uint8Array(CELL_BYTES), 1_000_000).with(100, 1);
      b.plane.handle({ type: 'send packet', route: newestSession(b).route, packet: forged });
      await world.runFor(1000);
      expect(a.event('down')?.why).toBe('stream closed');
    });
  });
});

describe('CLOSE', () => {
  it('still gets through before its stream is closed, even one that has backed up', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a] = await startNodes(world, ['alice'], { host: world.host('slow', SLOW) });
      const [b] = await startNodes(world, ['bob']);
      world.block({ protocol: 'udp' });
      const [atA] = await linked(world, a, b);
      for (let i = 0; i < 100; i++) a.send(atA, Uint8Array.of(i));
      a.links.close(atA);
      await world.until(() => b.event('down') !== undefined);
      expect(b.event('down')?.why).toBe('closed');
    });
  });
});

describe('attack 13: streams that waste a place', () => {
  it('are closed when they are slow: no record in 3 s', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a] = await startNodes(world, ['alice']);
      const { stream, seen, isOpen } = await dialRaw(world, a.address);
      const startMs = world.nowMs();
      trickle(world, stream, 5);
      await world.until(() => !isOpen());
      expect(seen.closedMs - startMs).toBeGreaterThanOrEqual(2999);
      expect(seen.closedMs - startMs).toBeLessThan(4100);
    });
  });

  it('are closed when no handshake comes of them', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a] = await startNodes(world, ['alice']);
      const { stream, seen, isOpen } = await dialRaw(world, a.address);
      const startMs = world.nowMs();
      const toSomebodyElse = initTo(new Uint8Array(32), world.rng('init'));
      for (let i = 0; i < 100; i++) world.after(100 * i, () => stream.write(toSomebodyElse));
      await world.until(() => !isOpen());
      expect(seen.closedMs - startMs).toBeLessThan(9100);
    });
  });

  it('are closed at once when they bring what is no packet', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a] = await startNodes(world, ['alice']);
      const { stream, seen, isOpen } = await dialRaw(world, a.address);
      stream.write(new Uint8Array(DATAGRAM_BYTES).fill(0x47));
      await world.runFor(10);
      expect(isOpen()).toBe(false);
      expect(seen.bytes).toBe(0);
    });
  });

  it('are closed when a record of a link takes longer than 5 s', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      world.block({ protocol: 'udp' });
      await linked(world, a, b);
      await world.runFor(1000);
      const { route } = newestSession(b);
      b.plane.handle({ type: 'send packet', route, packet: new Uint8Array(100).fill(4) });
      const startMs = world.nowMs();
      await world.until(() => a.event('down') !== undefined);
      expect(a.event('down')?.why).toBe('stream closed');
      expect(world.nowMs() - startMs).toBeGreaterThanOrEqual(4999);
      expect(world.nowMs() - startMs).toBeLessThan(6100);
    });
  });

  it('are 64 at most, 4 of a netgroup, and places are given back', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a] = await startNodes(world, ['alice']);
      const dialled = [];
      for (let i = 0; i < 24; i++) {
        for (let j = 0; j < 6; j++) {
          const host = world.host(`s${i}-${j}`, { ips: [`60.${i}.${j}.1`] });
          dialled.push(await dialRaw(world, a.address, host));
        }
      }
      await world.runFor(100);
      const open = dialled.filter(({ isOpen }) => isOpen());
      expect(open).toHaveLength(64);
      expect(dialled.slice(0, 7).map(({ isOpen }) => isOpen())).toEqual([
        ...[true, true, true, true],
        ...[false, false],
        true,
      ]);
      await world.runFor(5000);
      const late = await dialRaw(world, a.address, world.host('late'));
      await world.runFor(100);
      expect(late.isOpen()).toBe(true);
    });
  });
});

describe('a stream that backs up', () => {
  it('drops the oldest cells instead of delaying all that follow', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a] = await startNodes(world, ['alice'], { host: world.host('slow', SLOW) });
      const [b] = await startNodes(world, ['bob']);
      world.block({ protocol: 'udp' });
      const [atA] = await linked(world, a, b);
      const sentMs: number[] = [];
      const delays: number[] = [];
      for (let n = 0; n < 250; n++) {
        world.after(n * 20, () => {
          sentMs[n] = world.nowMs();
          a.send(atA, Uint8Array.of(n));
        });
      }
      let seen = 0;
      await world.until(() => {
        for (const { body } of b.cells.slice(seen))
          delays.push(world.nowMs() - (sentMs[body[0] ?? 0] ?? 0));
        seen = b.cells.length;
        return b.cells.some(({ body }) => body[0] === 249);
      });
      expect(b.cells.length).toBeLessThan(200);
      expect(a.plane.counters.backlogDropped).toBe(250 - b.cells.length);
      expect(Math.max(...delays)).toBeLessThan(2000);
      expect([...a.all('down'), ...b.all('down')]).toEqual([]);
    });
  });
});
