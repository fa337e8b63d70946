import { createSocket } from 'node:dgram';
import { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../bytes/index.ts';
import { type Address, NetworkError, type StreamHandlers, type TcpStream } from './index.ts';
import { realNetwork } from './real-network.ts';

const LOOPBACK: Address = { ip: '127.0.0.1', port: 0 };
/** An address of this machine that only says something with its network interface; not every machine has one. */
const ZONED = Object.entries(networkInterfaces())
  .flatMap(([name, addresses = []]) => addresses.map(({ address }) => `${address}%${name}`))
  .find((address) => address.startsWith('fe80:'));
const SILENT: StreamHandlers = { onData: () => {}, onClose: () => {} };

describe('UDP sockets of the system', () => {
  it.each(['127.0.0.1', '::1'])('carry packets on %s', async (ip) => {
    const { promise, resolve } = Promise.withResolvers<{ hex: string; from: Address }>();
    const receiver = await realNetwork.bindUdp(
      { ip, port: 0 },
      { onPacket: (packet, from) => resolve({ hex: toHex(packet), from }) },
    );
    const sender = await realNetwork.bindUdp({ ip, port: 0 }, { onPacket: () => {} });
    sender.send(Uint8Array.of(1, 2, 3), receiver.local);
    expect(await promise).toEqual({ hex: '010203', from: sender.local });
    await Promise.all([sender.close(), receiver.close()]);
  });

  it('count what cannot be sent instead of throwing', async () => {
    const socket = await realNetwork.bindUdp(LOOPBACK, { onPacket: () => {} });
    socket.send(new Uint8Array(70_000), { ip: '127.0.0.1', port: 9 });
    await expect.poll(() => socket.sendErrors).toBe(1);
    socket.send(new Uint8Array(1), { ip: '127.0.0.1', port: 0 });
    expect(socket.sendErrors).toBe(2);
    await socket.close();
    socket.send(new Uint8Array(1), { ip: '127.0.0.1', port: 9 });
    expect(socket.sendErrors).toBe(3);
  });

  it('hand a packet over before send returns, and do not look names up', async () => {
    const hexes: string[] = [];
    const both = Promise.withResolvers<void>();
    const receiver = await realNetwork.bindUdp(LOOPBACK, {
      onPacket: (packet) => {
        hexes.push(toHex(packet));
        if (hexes.length === 2) both.resolve();
      },
    });
    const sender = await realNetwork.bindUdp(LOOPBACK, { onPacket: () => {} });
    const packet = Uint8Array.of(1);
    sender.send(packet, receiver.local);
    packet.fill(2);
    sender.send(packet, { ...receiver.local, ip: 'localhost' });
    sender.send(packet, receiver.local);
    await both.promise;
    expect(hexes).toEqual(['01', '02']);
    await expect.poll(() => sender.sendErrors).toBe(1);
    await Promise.all([sender.close(), receiver.close()]);
  });

  it.skipIf(ZONED === undefined)('ignore senders whose address has a zone', async () => {
    const heard: string[] = [];
    const known = Promise.withResolvers<void>();
    const receiver = await realNetwork.bindUdp(
      { ip: '::', port: 0 },
      {
        onPacket: (packet, from) => {
          heard.push(`${toHex(packet)} ${from.ip}`);
          known.resolve();
        },
      },
    );
    const zoned = createSocket('udp6');
    await new Promise((resolve) =>
      zoned.send(Uint8Array.of(1), receiver.local.port, ZONED, resolve),
    );
    zoned.close();
    const sender = await realNetwork.bindUdp({ ip: '::1', port: 0 }, { onPacket: () => {} });
    sender.send(Uint8Array.of(2), { ...receiver.local, ip: '::1' });
    await known.promise;
    expect(heard).toEqual(['02 ::1']);
    await Promise.all([sender.close(), receiver.close()]);
  });

  it('say that an address is taken', async () => {
    const first = await realNetwork.bindUdp(LOOPBACK, { onPacket: () => {} });
    const second = realNetwork.bindUdp(first.local, { onPacket: () => {} });
    await expect(second).rejects.toThrow(new NetworkError('address in use'));
    await first.close();
  });
});

describe('TCP streams of the system', () => {
  it.skipIf(ZONED === undefined)('are refused to callers whose address has a zone', async () => {
    let streams = 0;
    const listener = await realNetwork.listenTcp({ ip: '::', port: 0 }, () => {
      streams++;
      return SILENT;
    });
    const closed = Promise.withResolvers<void>();
    const caller = new Socket().on('error', () => {}).on('close', () => closed.resolve());
    caller.connect(listener.local.port, ZONED ?? '');
    await closed.promise;
    expect(streams).toBe(0);
    await listener.close();
  });

  it('carry bytes both ways and close once', async () => {
    const events: string[] = [];
    const closed = Promise.withResolvers<void>();
    const listener = await realNetwork.listenTcp(LOOPBACK, (stream: TcpStream) => ({
      onData: (bytes) => {
        stream.write(bytes);
        stream.end();
      },
      onClose: () => events.push('server closed'),
    }));
    const stream = await realNetwork.dialTcp(listener.local, {
      timeoutMs: 5000,
      handlers: {
        onData: (bytes) => events.push(toHex(bytes)),
        onClose: () => {
          events.push('client closed');
          closed.resolve();
        },
      },
    });
    expect(stream.remote).toEqual(listener.local);
    stream.write(utf8('hi'));
    await closed.promise;
    await expect.poll(() => events.toSorted()).toEqual(['6869', 'client closed', 'server closed']);
    await listener.close();
  });

  it('lose nothing that arrives right at the connection', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const listener = await realNetwork.listenTcp(LOOPBACK, (stream) => {
      stream.write(utf8('early'));
      return SILENT;
    });
    const handlers = { ...SILENT, onData: (bytes: Uint8Array) => resolve(toHex(bytes)) };
    const stream = await realNetwork.dialTcp(listener.local, { timeoutMs: 5000, handlers });
    expect(await promise).toBe(toHex(utf8('early')));
    stream.destroy();
    await listener.close();
  });

  it('tell what they still have to send, and when it has gone', async () => {
    const drained = Promise.withResolvers<void>();
    const paused: TcpStream[] = [];
    const listener = await realNetwork.listenTcp(LOOPBACK, (stream) => {
      stream.pause();
      paused.push(stream);
      return SILENT;
    });
    const handlers = { ...SILENT, onDrain: () => drained.resolve() };
    const stream = await realNetwork.dialTcp(listener.local, { timeoutMs: 5000, handlers });
    for (let i = 0; i < 64; i++) stream.write(new Uint8Array(1 << 18));
    expect(stream.bufferedBytes).toBeGreaterThan(0);
    await expect.poll(() => paused.length).toBe(1);
    paused[0]?.resume();
    await drained.promise;
    expect(stream.bufferedBytes).toBe(0);
    stream.destroy();
    await listener.close();
  });

  it('tell that a little has gone, too', async () => {
    const drained = Promise.withResolvers<void>();
    const paused: TcpStream[] = [];
    const listener = await realNetwork.listenTcp(LOOPBACK, (stream) => {
      stream.pause();
      paused.push(stream);
      return SILENT;
    });
    const handlers = { ...SILENT, onDrain: () => drained.resolve() };
    const stream = await realNetwork.dialTcp(listener.local, { timeoutMs: 5000, handlers });
    await expect.poll(() => paused.length).toBe(1);
    while (stream.bufferedBytes === 0) stream.write(new Uint8Array(552));
    expect(stream.bufferedBytes).toBe(552);
    paused[0]?.resume();
    await drained.promise;
    stream.destroy();
    await listener.close();
  });

  it('say that nobody listens', async () => {
    const listener = await realNetwork.listenTcp(LOOPBACK, () => SILENT);
    await listener.close();
    const dial = realNetwork.dialTcp(listener.local, { timeoutMs: 5000, handlers: SILENT });
    await expect(dial).rejects.toThrow(new NetworkError('refused'));
  });

  it('say that an address is taken', async () => {
    const listener = await realNetwork.listenTcp(LOOPBACK, () => SILENT);
    const second = realNetwork.listenTcp(listener.local, () => SILENT);
    await expect(second).rejects.toThrow(new NetworkError('address in use'));
    await listener.close();
  });
});
