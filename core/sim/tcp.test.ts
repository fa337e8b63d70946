import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes/index.ts';
import type { TcpStream } from '../runtime/index.ts';
import { PORT } from './testing/mailbox.ts';
import { connect, connected, Ear, KB, story, TEN } from './testing/streams.ts';
import { World } from './world.ts';

describe('dialling', () => {
  it('takes a round trip, and each side knows the other', async () => {
    const { world, alice, bob, client, server } = await connected();
    expect(world.nowMs()).toBe(30);
    expect(client.remote).toEqual({ ip: bob.ip, port: PORT });
    expect(server.remote.ip).toBe(alice.ip);
  });

  it('is refused by a host that does not listen, any more', async () => {
    const { world, alice, bob, client, listener } = await connected();
    await listener.close();
    client.write(utf8('open streams stay open'));
    const dial = alice
      .restart()
      .network.dialTcp({ ip: bob.ip, port: PORT }, { timeoutMs: 1000, handlers: new Ear() });
    const before = world.nowMs();
    await expect(world.complete(dial)).rejects.toMatchObject({ fault: 'refused' });
    expect(world.nowMs() - before).toBe(20);
  });

  it.each(['down', 'blocked', 'nobody'])('times out when the host is %s', async (why) => {
    const world = new World({ seed: 1 });
    const [alice, bob] = [world.host('alice').start(), world.host('bob')];
    if (why === 'blocked') {
      bob.start();
      world.block({ to: bob, protocol: 'tcp' });
    }
    const ip = why === 'nobody' ? '99.99.99.99' : bob.ip;
    const handlers = new Ear();
    const dial = alice.network.dialTcp({ ip, port: PORT }, { timeoutMs: 5000, handlers });
    await expect(world.complete(dial)).rejects.toMatchObject({ fault: 'timed out' });
    expect(world.nowMs()).toBe(5000);
    expect(handlers.closes).toBe(0);
  });

  it('has no way to an address of a family the host has not', async () => {
    const world = new World({ seed: 1 });
    const to = { ip: '2a00::1', port: PORT };
    const dial = world.host('a').start().network.dialTcp(to, { timeoutMs: 1, handlers: new Ear() });
    await expect(dial).rejects.toMatchObject({ fault: 'unreachable' });
  });

  it('works on loopback', async () => {
    const world = new World({ seed: 1 });
    const { network } = world.host('alice').start();
    const ear = new Ear();
    const local = { ip: '127.0.0.1', port: 0 };
    const listener = await network.listenTcp(local, () => ear);
    const dial = network.dialTcp(listener.local, { timeoutMs: 1, handlers: new Ear() });
    (await world.complete(dial)).write(utf8('hello'));
    await world.runFor(1);
    expect(ear.text).toBe('hello');
  });

  it('asks again after 1, 2, 4 … seconds', async () => {
    const world = new World({ seed: 1 });
    const asked: number[] = [];
    world.tap(({ what, atMs }) => void (what === 'sent' && asked.push(atMs)));
    const to = { ip: '99.99.99.99', port: PORT };
    const options = { timeoutMs: 20_000, handlers: new Ear() };
    const dial = world.host('alice').start().network.dialTcp(to, options);
    await expect(world.complete(dial)).rejects.toMatchObject({ fault: 'timed out' });
    expect(asked).toEqual([0, 1000, 3000, 7000, 15_000]);
  });

  it('tells a stale answer to an earlier connection from its own', async () => {
    const world = new World({ seed: 1, profile: TEN });
    const kinds: string[] = [];
    world.tap(({ what, packet }) => {
      if (what !== 'sent' || packet.protocol !== 'tcp') return;
      kinds.push(packet.segment.kind);
      if (kinds.length > 1) return;
      const segment = { kind: 'ack', number: 3, next: 4, windowBytes: 0 } as const;
      world.inject({ ...packet, from: packet.to, to: packet.from, segment });
    });
    const { client, serverEar } = await connect(world, world.host('alice'), world.host('bob'));
    client.write(utf8('in good order'));
    await world.runFor(10_000);
    expect(serverEar.text).toBe('in good order');
    expect(kinds.join(' ')).toBe('syn reset syn ack data ack');
  });

  it('gets through loss of any part of the handshake', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = new World({ seed, profile: { ...TEN, loss: 0.25, duplicate: 0.2 } });
      const { client, serverEar } = await connect(world, world.host('alice'), world.host('bob'));
      client.write(utf8('through'));
      await world.until(() => serverEar.text === 'through');
    }
  });
});

describe('the end of a stream', () => {
  it('comes after all that was written, and closes both sides once', async () => {
    const { world, client, clientEar, server, serverEar } = await connected({ ...TEN, loss: 0.1 });
    const text = story(100 * KB);
    client.write(utf8(text));
    client.end();
    client.end();
    await world.runFor(120_000);
    expect(serverEar.text === text).toBe(true);
    expect([clientEar.closes, serverEar.closes]).toEqual([1, 1]);
    server.write(utf8('into nothing'));
    server.destroy();
    await world.runFor(1000);
    expect([clientEar.closes, serverEar.closes]).toEqual([1, 1]);
  });

  it('lets the other side send what it has queued, as a half-closed stream', async () => {
    const { world, client, clientEar, server } = await connected();
    const text = story(300 * KB);
    server.write(utf8(text));
    client.end();
    await world.until(() => clientEar.closes === 1);
    expect(clientEar.text === text).toBe(true);
  });

  it('waits behind what a paused reader has not read', async () => {
    const { world, client, server, serverEar } = await connected();
    server.pause();
    client.write(utf8('last words'));
    client.end();
    await world.runFor(10_000);
    expect([serverEar.text, serverEar.closes]).toEqual(['', 0]);
    server.resume();
    await world.runFor(100);
    expect([serverEar.text, serverEar.closes]).toEqual(['last words', 1]);
  });

  it('by destroy loses what is queued and closes the other side at once', async () => {
    const { world, client, clientEar, serverEar } = await connected();
    client.write(utf8(story(500 * KB)));
    client.destroy();
    expect(clientEar.closes).toBe(0);
    await world.runFor(11);
    expect(serverEar.text.length).toBeLessThan(20 * KB);
    expect([clientEar.closes, serverEar.closes]).toEqual([1, 1]);
  });

  it('is told again to whoever missed it and goes on writing', async () => {
    const { world, alice, bob, client, server, serverEar } = await connected();
    const lift = world.block({ from: alice, to: bob });
    client.destroy();
    lift();
    await world.runFor(10_000);
    expect(serverEar.closes).toBe(0);
    server.write(utf8('are you there?'));
    await world.runFor(20);
    expect(serverEar.closes).toBe(1);
  });

  it('by destroy in the middle of reading is the end of reading', async () => {
    const { world, client, server, serverEar } = await connected();
    server.pause();
    for (const text of ['one ', 'two ', 'three']) client.write(utf8(text));
    await world.runFor(50);
    const onData = serverEar.onData;
    serverEar.onData = (bytes) => {
      onData(bytes);
      server.destroy();
    };
    server.resume();
    await world.runFor(50);
    expect([serverEar.text, serverEar.closes]).toEqual(['one ', 1]);
  });

  it('comes by a write after the end', async () => {
    const { world, client, clientEar, serverEar } = await connected();
    client.end();
    client.write(utf8('too late'));
    await world.runFor(100);
    expect(serverEar.text).toBe('');
    expect([clientEar.closes, serverEar.closes]).toEqual([1, 1]);
  });

  it('may come inside any handler', async () => {
    const world = new World({ seed: 1 });
    const [alice, bob] = [world.host('alice').start(), world.host('bob')];
    const ears = [new Ear(), new Ear()] as const;
    const accept = (stream: TcpStream): Ear => {
      stream.destroy();
      return ears[0];
    };
    await bob.start().network.listenTcp({ ip: '0.0.0.0', port: PORT }, accept);
    const to = { ip: bob.ip, port: PORT };
    await world.complete(alice.network.dialTcp(to, { timeoutMs: 100, handlers: ears[1] }));
    await world.runFor(100);
    expect(ears.map(({ closes }) => closes)).toEqual([1, 1]);
  });
});
