import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes/index.ts';
import type { Runtime, UdpSocket } from '../runtime/index.ts';
import { STALE, wireBytes } from './packet.ts';
import { PORT, twoMailboxes } from './testing/mailbox.ts';
import { World } from './world.ts';

const V6 = '2a00:1450::1';

function bind(runtime: Runtime, ip: string, port = 0, senders: string[] = []): Promise<UdpSocket> {
  const onPacket = (_: Uint8Array, from: { ip: string }) => void senders.push(from.ip);
  return runtime.network.bindUdp({ ip, port }, { onPacket });
}

describe('a datagram', () => {
  it('goes from one host to the other, and the answer back', async () => {
    const world = new World({ seed: 1, profile: { latency: { type: 'constant', ms: 10 } } });
    const [alice, bob] = await twoMailboxes(world);
    alice.send('hello', bob.host);
    await world.runFor(50);
    const from = { ip: alice.host.ip, port: PORT };
    expect(bob.mail).toEqual([{ text: 'hello', from, atMs: 10 }]);
    bob.send('and hello', from);
    await world.runFor(50);
    expect(alice.mail).toEqual([
      { text: 'and hello', from: { ip: bob.host.ip, port: PORT }, atMs: 60 },
    ]);
  });

  it('is a copy of what was sent, and is overwritten when its handler has returned', async () => {
    const world = new World({ seed: 1 });
    const kept: Uint8Array[] = [];
    const seen: string[] = [];
    const onPacket = (packet: Uint8Array) => {
      seen.push(String.fromCharCode(...packet));
      kept.push(packet);
    };
    const bob = world.host('bob');
    await bob.start().network.bindUdp({ ip: bob.ip, port: PORT }, { onPacket });
    const socket = await bind(world.host('alice').start(), '0.0.0.0');
    const bytes = utf8('ab');
    socket.send(bytes, { ip: bob.ip, port: PORT });
    bytes.fill(0);
    await world.runFor(1);
    expect(seen).toEqual(['ab']);
    expect(kept).toEqual([Uint8Array.of(STALE, STALE)]);
  });

  it('to nobody is lost without a sound', async () => {
    const world = new World({ seed: 1 });
    const socket = await bind(world.host('alice').start(), '0.0.0.0');
    socket.send(utf8('x'), { ip: '99.99.99.99', port: 1 });
    const closedPort = world.host('bob');
    closedPort.start();
    socket.send(utf8('x'), { ip: closedPort.ip, port: 1 });
    await world.runFor(1);
    expect(socket.sendErrors).toBe(0);
  });

  it('counts on the wire with its headers', () => {
    const bytes = new Uint8Array(552);
    const packet = (ip: string) =>
      ({ protocol: 'udp', from: { ip, port: 1 }, to: { ip, port: 1 }, bytes }) as const;
    expect(wireBytes(packet('20.0.1.1'))).toBe(580);
    expect(wireBytes(packet(V6))).toBe(600);
  });
});

describe('a UDP socket', () => {
  it('is refused an address that is taken or not its own', async () => {
    const runtime = new World({ seed: 1 }).host('alice', { ips: ['20.0.0.1', V6] }).start();
    await bind(runtime, '20.0.0.1', PORT);
    for (const ip of ['20.0.0.1', '0.0.0.0', '::']) {
      await expect(bind(runtime, ip, PORT)).rejects.toMatchObject({ fault: 'address in use' });
    }
    await bind(runtime, V6, PORT);
    await bind(runtime, '127.0.0.1', PORT);
    await expect(bind(runtime, '20.0.0.2', PORT)).rejects.toMatchObject({
      fault: 'address not available',
    });
  });

  it('gets a free port when it asks for none, and gives it back', async () => {
    const runtime = new World({ seed: 1 }).host('alice').start();
    const [one, two] = [await bind(runtime, '0.0.0.0'), await bind(runtime, '0.0.0.0')];
    expect(one.local.port).not.toBe(two.local.port);
    await one.close();
    expect((await bind(runtime, '0.0.0.0', one.local.port)).local).toEqual(one.local);
  });

  it('neither sends nor receives once closed', async () => {
    const world = new World({ seed: 1 });
    const runtime = world.host('alice').start();
    const senders: string[] = [];
    const [open, closed] = [await bind(runtime, '0.0.0.0', 1, senders), await bind(runtime, '::')];
    await closed.close();
    closed.send(utf8('x'), { ip: '::1', port: 1 });
    await open.close();
    (await bind(runtime, '0.0.0.0')).send(utf8('x'), { ip: '127.0.0.1', port: 1 });
    await world.runFor(1);
    expect(closed.sendErrors).toBe(1);
    expect(senders).toEqual([]);
  });

  it('speaks its own family only, but hears both on ::', async () => {
    const world = new World({ seed: 1 });
    const alice = world.host('alice', { ips: ['20.0.0.1', V6] }).start();
    const bob = world.host('bob', { ips: ['20.0.0.2', '2a00:1450::2'] }).start();
    const senders: string[] = [];
    await bind(bob, '::', PORT, senders);
    const [v4, v6] = [await bind(alice, '0.0.0.0'), await bind(alice, '::')];
    v4.send(utf8('x'), { ip: '20.0.0.2', port: PORT });
    v6.send(utf8('x'), { ip: '2a00:1450::2', port: PORT });
    await world.runFor(1);
    expect(senders).toEqual(['20.0.0.1', V6]);
    v4.send(utf8('x'), { ip: '2a00:1450::2', port: PORT });
    v6.send(utf8('x'), { ip: '20.0.0.2', port: PORT });
    expect([v4.sendErrors, v6.sendErrors]).toEqual([1, 1]);
  });

  it('counts what no system would send', async () => {
    const socket = await bind(new World({ seed: 1 }).host('alice').start(), '0.0.0.0');
    socket.send(utf8('x'), { ip: '20.0.0.2', port: 0 });
    socket.send(utf8('x'), { ip: '20.0.0.2', port: 65_536 });
    socket.send(new Uint8Array(65_508), { ip: '20.0.0.2', port: 1 });
    expect(socket.sendErrors).toBe(3);
  });

  it('on loopback reaches its own host alone, and no wire', async () => {
    const world = new World({ seed: 1 });
    const seen: unknown[] = [];
    world.tap((sighting) => void seen.push(sighting));
    const alice = world.host('alice');
    const [runtime, other] = [alice.start(), world.host('bob').start()];
    const senders: string[] = [];
    await bind(runtime, '127.0.0.1', PORT, senders);
    await bind(other, '127.0.0.1', PORT, senders);
    (await bind(runtime, '127.0.0.1')).send(utf8('x'), { ip: '127.0.0.1', port: PORT });
    await world.runFor(1);
    expect(senders).toEqual(['127.0.0.1']);
    expect(seen).toEqual([]);
  });
});
