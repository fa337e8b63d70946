// Links over the sockets of the system: what the simulator promises holds there, too.

import { afterEach, describe, expect, it } from 'vitest';
import { type Network, type Runtime, realRuntime, type TcpStream } from '../runtime/index.ts';
import type { Listen } from './links-port.ts';
import { LinkNode } from './testing/link-node.ts';
import { type TestNode, testNode, WALL_MS } from './testing/nodes.ts';
import { SocksProxy } from './testing/socks-proxy.ts';

const LOOPBACK = { ip: '127.0.0.1', port: 0 };
const ALICE = testNode('alice', 1, { addresses: [] });
const BOB = testNode('bob', 2, { addresses: [] });

/** With the date of the certificates. */
const RUNTIME: Runtime = {
  ...realRuntime,
  clock: { nowMs: () => realRuntime.clock.nowMs(), wallMs: () => WALL_MS },
};

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

async function start(node: TestNode, listen: Listen, network: Partial<Network> = {}) {
  const runtime = { ...RUNTIME, network: { ...RUNTIME.network, ...network } };
  const started = new LinkNode({ runtime, node, listen, allowPrivate: true });
  stops.push(() => started.stop());
  await until(() => started.event('listening') !== undefined);
  return started;
}

async function until(isSo: () => boolean): Promise<void> {
  await expect.poll(isSo, { timeout: 10_000, interval: 5 }).toBe(true);
}

async function linked(a: LinkNode, b: LinkNode) {
  await until(() => a.ups.length > 0 && b.ups.length > 0);
  return [a.ups[0]?.link ?? 0, b.ups[0]?.link ?? 0] as const;
}

describe('links over real sockets', () => {
  it('carry cells over UDP', async () => {
    const a = await start(ALICE, { udp: LOOPBACK });
    const b = await start(BOB, { udp: LOOPBACK });
    a.open(b, b.address);
    const [atA, atB] = await linked(a, b);
    for (let i = 0; i < 100; i++) {
      a.send(atA, Uint8Array.of(i));
      b.send(atB, Uint8Array.of(i));
    }
    await until(() => a.cells.length === 100 && b.cells.length === 100);
    expect(a.links.status(0).links[0]).toMatchObject({ transport: 'udp' });
  });

  it('come up over TCP where UDP gets no answer', async () => {
    const a = await start(ALICE, { udp: LOOPBACK });
    const b = await start(BOB, { tcp: LOOPBACK });
    a.open(b, b.address);
    const [atA] = await linked(a, b);
    a.send(atA, Uint8Array.of(7));
    await until(() => b.cells.length === 1);
    expect(a.links.status(0).links[0]).toMatchObject({ transport: 'tcp' });
  });

  it('go through a SOCKS5 proxy, which resolves names and is the only one asked to', async () => {
    const dialled: string[] = [];
    const dialTcp: Network['dialTcp'] = (to, options) => {
      dialled.push(to.ip);
      return RUNTIME.network.dialTcp(to, options);
    };
    const b = await start(BOB, { tcp: LOOPBACK });
    const proxy = new SocksProxy(RUNTIME.network, b.address);
    stops.push(() => proxy.stop());
    const { ip: host, port } = await proxy.listen(LOOPBACK);
    const a = await start(ALICE, { udp: LOOPBACK, proxy: { host, port } }, { dialTcp });
    const address = { host: 'no-such-name.example', port: 4321 };
    a.links.open({ identity: b.identity, address }, a.now);
    const [atA] = await linked(a, b);
    expect(proxy.asked).toEqual(['no-such-name.example:4321']);
    expect(dialled).toEqual([]);
    a.send(atA, Uint8Array.of(7));
    await until(() => b.cells.length === 1);
    expect(a.links.status(0).links[0]).toMatchObject({ transport: 'proxy' });
    const packets = a.commands.filter((command) => command.type === 'send packet');
    expect(packets.map(({ route }) => route.transport)).not.toContain('udp');
  });

  it('drop what a stream cannot carry, and go on when it can', async () => {
    const accepted: TcpStream[] = [];
    const listenTcp: Network['listenTcp'] = (local, onStream) =>
      RUNTIME.network.listenTcp(local, (stream) => {
        accepted.push(stream);
        return onStream(stream);
      });
    const a = await start(ALICE, { tcp: LOOPBACK });
    const b = await start(BOB, { tcp: LOOPBACK }, { listenTcp });
    a.open(b, b.address);
    const [atA] = await linked(a, b);
    accepted[0]?.pause();
    let sent = 0;
    while (a.plane.counters.backlogDropped < 20) {
      expect(sent++).toBeLessThan(50_000);
      a.send(atA, Uint8Array.of(1));
    }
    a.send(atA, Uint8Array.of(2));
    accepted[0]?.resume();
    await until(() => b.cells.at(-1)?.body[0] === 2);
    expect(b.cells).toHaveLength(sent + 1 - a.plane.counters.backlogDropped);
    a.send(atA, Uint8Array.of(3));
    await until(() => b.cells.at(-1)?.body[0] === 3);
  });
});
