// How nodes call others, in simulated worlds: the ways they try, and whom they leave alone.

import { describe, expect, it } from 'vitest';
import type { World } from '../sim/index.ts';
import { linked, type SimNode, simulateLinks, startNodes } from './testing/sim-node.ts';
import { isData } from './wire.ts';

const SILENT = { ip: '99.9.9.9', port: 4000 };

/** Times at which UDP packets left `node`. */
function departures(world: World, node: SimNode): number[] {
  const times: number[] = [];
  world.tap(({ what, packet, atMs }) => {
    if (what === 'sent' && packet.protocol === 'udp' && packet.from.ip === node.host.ip)
      times.push(atMs);
  });
  return times;
}

describe('calling a node', () => {
  it('goes over TCP when UDP gets no answer for 1.2 s', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      world.block({ protocol: 'udp' });
      const startMs = world.nowMs();
      const [atA, atB] = await linked(world, a, b);
      expect(world.nowMs() - startMs).toBeGreaterThan(1200);
      expect(world.nowMs() - startMs).toBeLessThan(1300);
      expect(a.links.status(0).links[0]).toMatchObject({ transport: 'tcp', link: atA });
      a.send(atA, Uint8Array.of(1));
      b.send(atB, Uint8Array.of(2));
      await world.until(() => a.cells.length + b.cells.length === 2);
      await world.runFor(20_000);
      expect([...a.events, ...b.events].filter(({ type }) => type !== 'listening')).toHaveLength(2);
    });
  });

  it('opens no stream when UDP answers in time', async () => {
    await simulateLinks(
      { seed: 1, profile: { latency: { type: 'constant', ms: 500 } } },
      async (world) => {
        const [a, b] = await startNodes(world, ['alice', 'bob']);
        await linked(world, a, b);
        expect(a.commands.map(({ type }) => type)).not.toContain('dial stream');
      },
    );
  });

  it('takes whichever way is through first, and leaves the other', async () => {
    await simulateLinks(
      { seed: 1, profile: { latency: { type: 'constant', ms: 700 } } },
      async (world) => {
        const [a, b] = await startNodes(world, ['alice', 'bob']);
        await linked(world, a, b);
        expect(a.links.status(0).links[0]).toMatchObject({ transport: 'udp' });
        await world.runFor(20_000);
        expect([a.ups.length, b.ups.length, b.links.status(0).callers]).toEqual([1, 1, 0]);
        expect(a.commands.filter(({ type }) => type.endsWith('stream'))).toHaveLength(2);
      },
    );
  });

  it('goes over TCP when only the first packets get through over UDP', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      world.interfere((packet) =>
        packet.protocol === 'udp' && isData(packet.bytes) ? [] : undefined,
      );
      await linked(world, a, b);
      expect(a.links.status(0).links[0]).toMatchObject({ transport: 'tcp' });
    });
  });

  it('lets go of a stream that is not needed any more', async () => {
    await simulateLinks(
      { seed: 1, profile: { latency: { type: 'constant', ms: 700 } } },
      async (world) => {
        const [a, b] = await startNodes(world, ['alice', 'bob']);
        const unblock = world.block({ protocol: 'tcp' });
        await linked(world, a, b);
        const [dialled, closed] = a.commands.filter((command) => command.type.endsWith('stream'));
        expect(dialled).toMatchObject({ type: 'dial stream', stream: 2 });
        expect(closed).toEqual({ type: 'close stream', stream: 2 });
        unblock();
        await world.runFor(10_000);
        expect(a.planeEvents.map(({ type }) => type)).not.toContain('stream open');
        const late = { type: 'stream open', stream: 4, remote: b.address } as const;
        a.links.handle(late, a.now);
        expect(a.commands.at(-1)).toEqual({ type: 'close stream', stream: 4 });
      },
    );
  });

  it('begins one handshake, however often INIT comes', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const unblock = world.block({ from: b.host });
      world.block({ protocol: 'tcp' });
      a.open(b, b.address);
      await world.runFor(1300);
      expect(b.links.status(0).callers).toBe(1);
      unblock();
      await world.until(() => a.ups.length === 1 && b.ups.length === 1);
      expect(b.links.status(0).callers).toBe(0);
    });
  });

  it('repeats INIT at 0, 0.4, 1.2 and 2.8 s, and gives up', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const sent = departures(world, a);
      const startMs = world.nowMs();
      a.open(b, SILENT);
      await world.until(() => a.event('failed') !== undefined);
      expect(a.event('failed')).toMatchObject({ identity: b.identity, address: SILENT });
      expect(sent.map((ms) => Math.round(ms - startMs))).toEqual([0, 400, 1200, 2800]);
      expect(a.links.status(0)).toMatchObject({ dials: 0, links: [] });
    });
  });

  it('attack 11: sends no more than three INITs to who does not answer, when somebody else wants it', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const sent = departures(world, a);
      a.open(b, SILENT, true);
      await world.until(() => a.event('failed') !== undefined);
      expect(sent).toHaveLength(3);
    });
  });

  it('leaves a node alone for 12 s after a failure, then twice as long each time', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const waits: number[] = [];
      a.open(b, SILENT);
      for (let i = 0; i < 8; i++) {
        await world.until(() => a.all('failed').length > i);
        const failedMs = world.nowMs();
        while (a.open(b, SILENT).type === 'failed') await world.runFor(1000);
        waits.push((world.nowMs() - failedMs) / 1000);
      }
      expect(waits).toEqual([12, 24, 48, 96, 192, 384, 600, 600]);
    });
  });

  it('begins with 12 s again once it has worked', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const fail = async (): Promise<void> => {
        const unblock = world.block({ from: a.host });
        const failures = a.all('failed').length;
        a.open(b, b.address);
        await world.until(() => a.all('failed').length > failures);
        unblock();
        await world.runFor(12_000);
      };
      await fail();
      const [atA] = await linked(world, a, b);
      a.links.close(atA);
      await world.runFor(10);
      await fail();
      expect(a.open(b, b.address)).toEqual({ type: 'dialling' });
    });
  });

  it('is done 64 times at once, 48 times of them for others', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const dialling = (onBehalf: boolean): number =>
        Array.from({ length: 100 }, (_, i) =>
          a.open(b, { ip: '99.9.9.9', port: 1 + i + (onBehalf ? 1000 : 0) }, onBehalf),
        ).filter(({ type }) => type === 'dialling').length;
      expect(dialling(true)).toBe(48);
      expect(dialling(false)).toBe(16);
      expect(dialling(true)).toBe(48);
      await world.runFor(20_000);
      expect(a.all('failed')).toHaveLength(64);
      expect(a.links.status(0).dials).toBe(0);
    });
  });

  it('refuses what cannot or may not be called', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const refused = (why: string) => ({ type: 'failed', why });
      expect(a.open(a, b.address)).toEqual(refused('own identity'));
      for (const ip of ['10.0.0.1', '127.0.0.1', '192.168.1.1', '::1', 'fe80::1', '224.0.0.1']) {
        expect(a.open(b, { ip, port: 4000 })).toEqual(refused('address not allowed'));
      }
      expect(a.open(b, { ip: b.address.ip, port: 0 })).toEqual(refused('address not allowed'));
      const byName = { identity: b.identity, address: { host: 'node.example', port: 4000 } };
      expect(a.links.open(byName, a.now)).toEqual(refused('address not allowed'));
    });
  });

  it('fails when somebody else is there', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b, c] = await startNodes(world, ['alice', 'bob', 'carol']);
      a.open(b, c.address);
      await world.until(() => a.event('failed') !== undefined);
      expect([...a.ups, ...c.ups]).toEqual([]);
    });
  });
});
