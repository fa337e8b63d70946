// The data half of the links by itself, told what to do by the test.

import { describe, expect, it } from 'vitest';
import { chooseProvider } from '../crypto/index.ts';
import { simulate, type World } from '../sim/index.ts';
import { LinkPlane } from './plane.ts';
import type { LinkEvent } from './port.ts';
import { initTo } from './testing/villain.ts';

const provider = chooseProvider();
const PORT = 4000;

async function startPlane(world: World, name: string) {
  const host = world.host(name);
  const events: LinkEvent[] = [];
  const local = { ip: host.ip, port: PORT };
  const runtime = host.start();
  const plane = new LinkPlane({
    runtime,
    provider,
    allowPrivate: false,
    post: (event) => events.push(event),
    onCell: () => {},
  });
  plane.handle({ type: 'listen', udp: local, tcp: local });
  await world.until(() => events.length > 0);
  expect(events.splice(0)).toEqual([{ type: 'listening', udp: local, tcp: local }]);
  return { plane, events, local, host, runtime };
}

describe('the data half', () => {
  it('holds handshake packets back while the control half is busy', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const { plane, events, local } = await startPlane(world, 'a');
      const rng = world.rng('flood');
      const flood = async (): Promise<number> => {
        for (let i = 0; i < 1000; i++) {
          const from = { ip: '99.9.9.9', port: 1 + i };
          const bytes = initTo(new Uint8Array(32), rng);
          world.inject({ protocol: 'udp', from, to: local, bytes });
        }
        await world.runFor(10);
        return events.splice(0).length;
      };
      expect(await flood()).toBe(512);
      expect(await flood()).toBe(0);
      plane.handle({ type: 'handshakes handled', count: 100 });
      expect(await flood()).toBe(100);
      expect(plane.counters).toMatchObject({ packetsIn: 3000, dropped: 3000 - 612 });
    });
  });

  it('says why it cannot listen', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const { events, local, host } = await startPlane(world, 'a');
      const other = new LinkPlane({
        runtime: host.restart(),
        provider,
        allowPrivate: false,
        post: (event) => events.push(event),
        onCell: () => {},
      });
      other.handle({ type: 'listen', udp: { ...local, ip: '99.9.9.9' } });
      await world.until(() => events.length > 0);
      expect(events).toEqual([
        { type: 'listen failed', what: 'udp', fault: 'address not available' },
      ]);
    });
  });

  it('tells of streams it was to dial, and closes one that is not wanted any more', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const a = await startPlane(world, 'a');
      const b = await startPlane(world, 'b');
      const to = { host: b.local.ip, port: PORT };
      a.plane.handle({ type: 'dial stream', stream: 2, to });
      a.plane.handle({ type: 'dial stream', stream: 4, to: { ...to, port: 9 } });
      await world.until(() => a.events.length === 2);
      expect(a.events.splice(0)).toEqual([
        { type: 'stream open', stream: 2, remote: b.local },
        { type: 'stream failed', stream: 4, fault: 'refused' },
      ]);
      a.plane.handle({ type: 'close stream', stream: 2 });
      a.plane.handle({ type: 'dial stream', stream: 6, to });
      a.plane.handle({ type: 'close stream', stream: 6 });
      await world.runFor(1000);
      expect(a.events).toEqual([{ type: 'stream closed', stream: 2 }]);
      expect(b.events).toEqual([]);
    });
  });

  it('stops: nothing runs on, and its addresses are free', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const { plane, runtime, local } = await startPlane(world, 'a');
      await world.complete(plane.stop());
      expect(world.time.pending).toBe(0);
      const again = runtime.network.bindUdp(local, { onPacket: () => {} });
      expect((await world.complete(again)).local).toEqual(local);
    });
  });
});
