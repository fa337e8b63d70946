import { describe, expect, it } from 'vitest';
import { decodeUtf8, utf8 } from '../bytes/index.ts';
import { STALE } from './packet.ts';
import type { PathProfile } from './profiles.ts';
import { connect, connected, KB, story, TEN } from './testing/streams.ts';
import { World } from './world.ts';

describe('a stream', () => {
  it('is these segments, from its beginning to its end', async () => {
    const world = new World({ seed: 1, profile: TEN });
    const kinds: string[] = [];
    world.tap(({ what, packet }) => {
      if (what === 'sent' && packet.protocol === 'tcp') kinds.push(packet.segment.kind);
    });
    const { client } = await connect(world, world.host('alice'), world.host('bob'));
    client.write(utf8('a'));
    await world.runFor(100);
    client.end();
    client.end();
    await world.runFor(10_000);
    expect(kinds.join(' ')).toBe('syn syn ack data ack fin ack fin ack');
  });

  it.each<[string, PathProfile]>([
    ['a clean path', TEN],
    ['loss', { ...TEN, loss: 0.05 }],
    ['heavy loss', { ...TEN, loss: 0.2, duplicate: 0.1 }],
    ['nothing but duplicates', { ...TEN, duplicate: 1 }],
    ['disorder', { latency: { type: 'uniform', minMs: 1, maxMs: 50 }, order: 'free' }],
  ])('carries every byte once and in order over %s', async (_, profile) => {
    const { world, client, server, clientEar, serverEar } = await connected(profile);
    const [out, back] = [story(300 * KB), story(50 * KB)];
    client.write(utf8(out));
    server.write(utf8(back));
    await world.until(
      () => serverEar.text.length >= out.length && clientEar.text.length >= back.length,
      600_000,
    );
    await world.runFor(10_000);
    expect(serverEar.text === out).toBe(true);
    expect(clientEar.text === back).toBe(true);
  });

  it('shows a loss as delay, of all that comes after it', async () => {
    const { world, alice, bob, client, serverEar } = await connected();
    const before = world.nowMs();
    const lift = world.block({ from: alice, to: bob });
    client.write(utf8('lost '));
    lift();
    client.write(utf8('and held up'));
    await world.runFor(100);
    expect(serverEar.text).toBe('');
    await world.until(() => serverEar.text === 'lost and held up');
    expect(world.nowMs() - before).toBeGreaterThanOrEqual(200);
  });

  it('repeats a single loss without waiting for its time-out', async () => {
    const { world, alice, bob, client, serverEar } = await connected();
    const before = world.nowMs();
    const lift = world.block({ from: alice, to: bob });
    client.write(utf8('lost '));
    lift();
    for (let i = 0; i < 5; i++) client.write(utf8(`${i}`));
    await world.until(() => serverEar.text === 'lost 01234');
    expect(world.nowMs() - before).toBeLessThan(50);
  });

  it('starts slowly and doubles with every round trip', async () => {
    const { world, client } = await connected();
    const perTrip: number[] = [];
    const started = world.nowMs();
    world.tap(({ what, atMs, packet }) => {
      if (what !== 'sent' || packet.protocol !== 'tcp' || packet.segment.kind !== 'data') return;
      const trip = Math.floor((atMs - started) / 20);
      perTrip[trip] = (perTrip[trip] ?? 0) + 1;
    });
    client.write(utf8(story(300 * KB)));
    await world.runFor(70);
    // The handshake was one acknowledgement already.
    expect(perTrip).toEqual([11, 22, 44, 88]);
  });

  it('goes slower where packets are lost', async () => {
    const seconds = async (loss: number): Promise<number> => {
      const { world, client, serverEar } = await connected({ ...TEN, loss });
      const started = world.nowMs();
      client.write(utf8(story(1000 * KB)));
      await world.until(() => serverEar.text.length === 1000 * KB);
      return (world.nowMs() - started) / 1000;
    };
    // 1.22 · 1400 bytes / 20 ms / √0.02 is 600 KB a second (Mathis et al. 1997).
    expect(Math.abs((await seconds(0.02)) - 1.7)).toBeLessThan(0.7);
    expect(await seconds(0)).toBeLessThan(0.2);
  });

  it('sends nothing twice on a path that is merely slow', async () => {
    const far: PathProfile = { latency: { type: 'constant', ms: 600 } };
    const world = new World({ seed: 1, profile: far });
    const sent: string[] = [];
    world.tap(({ what, packet }) => {
      if (what !== 'sent' || packet.protocol !== 'tcp') return;
      if (packet.segment.kind !== 'ack') sent.push(packet.segment.kind);
    });
    const { client, server } = await connect(world, world.host('alice'), world.host('bob'));
    await world.runFor(10_000);
    // Who does not know the way yet asks twice, and is answered twice.
    expect(sent).toEqual(['syn', 'syn', 'syn', 'syn']);
    for (let i = 0; i < 3; i++) {
      client.write(utf8('x'));
      server.write(utf8('x'));
      await world.runFor(5000);
    }
    expect(sent.slice(4)).toEqual(new Array(6).fill('data'));
  });

  it('lends its bytes to the reader, who can spoil nothing by keeping or changing them', async () => {
    const { world, alice, bob, client, serverEar } = await connected();
    const kept: Uint8Array[] = [];
    serverEar.onData = (bytes) => void kept.push(bytes);
    const sent: string[] = [];
    world.tap(({ what, packet }) => {
      if (what === 'sent' && packet.bytes.length > 0) sent.push(decodeUtf8(packet.bytes));
    });
    const lift = world.block({ from: bob, to: alice });
    client.write(utf8('ab'));
    await world.runFor(500);
    lift();
    await world.runFor(500);
    expect(kept).toEqual([Uint8Array.of(STALE, STALE)]);
    expect(sent.length).toBeGreaterThan(1);
    expect(new Set(sent)).toEqual(new Set(['ab']));
  });

  it('survives an outage', async () => {
    const { world, alice, bob, client, serverEar, clientEar } = await connected();
    const heal = world.partition([alice], [bob]);
    client.write(utf8('patience'));
    await world.runFor(20_000);
    heal();
    await world.until(() => serverEar.text === 'patience');
    expect(clientEar.closes).toBe(0);
  });

  it('gives up on a peer that answers nothing for a long time', async () => {
    const { world, alice, bob, client, clientEar } = await connected();
    await world.runFor(1_000_000);
    world.partition([alice], [bob]);
    client.write(utf8('anybody there?'));
    await world.runFor(99_000);
    expect(clientEar.closes).toBe(0);
    await world.runFor(80_000);
    expect(clientEar.closes).toBe(1);
  });

  it('arrives in the pieces its sender makes', async () => {
    const { world, client, serverEar } = await connected(TEN, { segmentBytes: 1 });
    client.write(utf8('byte by byte'));
    await world.runFor(200);
    expect([serverEar.text, serverEar.pieces]).toEqual(['byte by byte', 12]);
  });

  it('drains as fast as the line, and says when it is empty', async () => {
    const access = { upBytesPerSecond: 100 * KB };
    const { world, client, clientEar, serverEar } = await connected(TEN, { access });
    const started = world.nowMs();
    client.write(utf8(story(500 * KB)));
    const buffered = client.bufferedBytes;
    expect(buffered).toBeGreaterThan(400 * KB);
    await world.runFor(2000);
    expect(client.bufferedBytes).toBeLessThan(buffered - 100 * KB);
    expect(clientEar.drains).toBe(0);
    await world.until(() => clientEar.drains > 0);
    expect(client.bufferedBytes).toBe(0);
    await world.until(() => serverEar.text.length === 500 * KB);
    const seconds = (world.nowMs() - started) / 1000;
    expect(seconds).toBeGreaterThan(5);
    expect(seconds).toBeLessThan(8);
    expect(clientEar.drains).toBe(1);
  });

  it('buffers nothing while the network keeps up', async () => {
    const { world, client, clientEar } = await connected();
    client.write(utf8('short'));
    expect(client.bufferedBytes).toBe(0);
    await world.runFor(100);
    expect(clientEar.drains).toBe(0);
  });

  it('holds back its sender while the reader has paused', async () => {
    const { world, client, server, serverEar } = await connected();
    server.pause();
    const text = story(800 * KB);
    client.write(utf8(text));
    await world.runFor(300_000);
    expect(serverEar.text).toBe('');
    expect(client.bufferedBytes).toBeGreaterThan(500 * KB);
    server.resume();
    await world.runFor(500);
    expect(serverEar.text === text).toBe(true);
  });

  it('goes on even when the news of the open window is lost', async () => {
    const { world, alice, bob, client, server, serverEar } = await connected();
    server.pause();
    client.write(utf8(story(800 * KB)));
    await world.runFor(10_000);
    const lift = world.block({ from: bob, to: alice });
    server.resume();
    await world.runFor(10);
    lift();
    await world.until(() => serverEar.text.length === 800 * KB, 200_000);
  });

  it('may be paused in the middle of what arrives', async () => {
    const { world, client, server, serverEar } = await connected(TEN);
    const onData = serverEar.onData;
    serverEar.onData = (bytes) => {
      onData(bytes);
      server.pause();
    };
    for (const text of ['one ', 'two ', 'three']) client.write(utf8(text));
    await world.runFor(50);
    expect(serverEar.text).toBe('one ');
    server.resume();
    await world.runFor(50);
    expect(serverEar.text).toBe('one two ');
  });
});
