import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes/index.ts';
import { isPublic, netgroup, randomBelow, randomBytes } from '../runtime/index.ts';
import type { Sighting } from './network.ts';
import type { Packet } from './packet.ts';
import { EU, LAN, WAN } from './profiles.ts';
import { Mailbox, PORT, twoMailboxes } from './testing/mailbox.ts';
import { connect } from './testing/streams.ts';
import { Trace } from './trace.ts';
import { World } from './world.ts';

/** Some of everything that can happen. */
async function eventfulRun(seed: number): Promise<Trace> {
  const world = new World({ seed, profile: { ...WAN, duplicate: 0.05, order: 'free' } });
  const trace = new Trace(world);
  const hosts = Array.from({ length: 10 }, (_, i) =>
    world.host(`h${i}`, i % 3 === 0 ? { nat: world.nat(), driftPpm: i } : {}),
  );
  for (const host of hosts) {
    host.start(async ({ runtime: { network, rng, timers } }) => {
      const socket = await network.bindUdp({ ip: '0.0.0.0', port: PORT }, { onPacket: () => {} });
      const tick = (): void => {
        const to = hosts[randomBelow(rng, hosts.length)] ?? host;
        socket.send(randomBytes(rng, 50), { ip: to.ip, port: PORT });
        timers.after(randomBelow(rng, 100), tick);
      };
      tick();
    });
  }
  world.after(1000, () => hosts[1]?.restart());
  world.after(1500, () => hosts[2]?.crash());
  await world.runFor(2000);
  const { client } = await connect(world, world.host('x'), world.host('y'));
  client.write(new Uint8Array(50_000));
  await world.runFor(3000);
  return trace;
}

describe('a seed', () => {
  it('fixes a whole run, to the last packet', async () => {
    const [one, two, other] = [await eventfulRun(11), await eventfulRun(11), await eventfulRun(12)];
    expect(one.packets).toBeGreaterThan(1000);
    expect(two.digest).toBe(one.digest);
    expect(other.digest).not.toBe(one.digest);
  });
});

describe('a trace', () => {
  async function digest(text: string, atMs = 5): Promise<string> {
    const world = new World({ seed: 1 });
    const trace = new Trace(world);
    const [alice, bob] = await twoMailboxes(world);
    world.after(atMs, () => alice.send(text, bob.host));
    await world.runFor(10);
    expect(trace.packets).toBe(2);
    return trace.digest;
  }

  it('tells runs apart by a byte or a moment', async () => {
    const one = await digest('one');
    expect(one).toMatch(/^[0-9a-f]{16}$/);
    expect(await digest('one')).toBe(one);
    expect(await digest('onf')).not.toBe(one);
    expect(await digest('one', 5.01)).not.toBe(one);
  });
});

describe('a world', () => {
  it('gives its hosts public addresses in netgroups of their own', () => {
    const world = new World({ seed: 1 });
    const ips = Array.from({ length: 21_000 }, (_, i) => world.host(`${i}`).ip);
    expect(new Set(ips).size).toBe(21_000);
    expect(ips.filter((ip) => !isPublic(ip))).toEqual([]);
    expect(new Set(ips.slice(0, 20_480).map(netgroup)).size).toBe(20_480);
  });

  it('has one host of a name and of an address', () => {
    const world = new World({ seed: 1 });
    world.host('alice', { ips: ['99.0.0.1'] });
    expect(() => world.host('alice')).toThrow('alice');
    expect(() => world.host('bob', { ips: ['99.0.0.1'] })).toThrow('99.0.0.1');
  });

  it('waits for what is to happen, with patience of virtual time only', async () => {
    const world = new World({ seed: 1 });
    let happened = false;
    world.after(5000, () => {
      happened = true;
    });
    await world.until(() => happened);
    expect(world.nowMs()).toBe(5000);
    await expect(world.until(() => false, 100)).rejects.toThrow('did not happen in 100 ms');
    expect(world.nowMs()).toBe(5100);
  });

  it('runs a promise to its end, good or bad', async () => {
    const world = new World({ seed: 1 });
    const later = (ms: number) =>
      new Promise<string>((resolve) => void world.after(ms, () => resolve(`after ${ms}`)));
    expect(await world.complete(later(20))).toBe('after 20');
    const failing = later(20).then(() => Promise.reject(new Error('went wrong')));
    await expect(world.complete(failing)).rejects.toThrow('went wrong');
    await expect(world.complete(later(500), 100)).rejects.toThrow('did not happen');
  });

  it('steps from event to event', async () => {
    const world = new World({ seed: 1, profile: { latency: { type: 'constant', ms: 3 } } });
    const [alice, bob] = await twoMailboxes(world);
    alice.send('x', bob.host);
    expect(bob.texts).toEqual([]);
    expect(await world.step()).toBe(true);
    expect([bob.texts, world.nowMs()]).toEqual([['x'], 3]);
    expect(await world.step()).toBe(false);
  });

  it('carries a datagram a second between each of 1,000 nodes', async () => {
    const world = new World({ seed: 1, profile: EU });
    const received = new Array<number>(1000).fill(0);
    const hosts = received.map((_, i) => world.host(`${i}`));
    hosts.forEach((host, i) => {
      host.start(async ({ runtime: { network, timers, rng } }) => {
        const onPacket = () => {
          received[i] = (received[i] ?? 0) + 1;
        };
        const socket = await network.bindUdp({ ip: '0.0.0.0', port: PORT }, { onPacket });
        const to = { ip: hosts[(i + 1) % 1000]?.ip ?? '', port: PORT };
        const tick = (): void => {
          socket.send(utf8('one a second'), to);
          timers.after(1000, tick);
        };
        timers.after(randomBelow(rng, 1000), tick);
      });
    });
    await world.runFor(10_020);
    const total = received.reduce((sum, count) => sum + count, 0);
    expect(Math.min(...received)).toBeGreaterThan(5);
    expect(Math.max(...received)).toBeLessThanOrEqual(11);
    expect(Math.abs(total - 9900)).toBeLessThan(80);
  });
});

describe('a tap', () => {
  it('sees every packet leave and arrive, with its size on the wire', async () => {
    const world = new World({ seed: 1, profile: { latency: { type: 'constant', ms: 5 } } });
    const [alice, bob] = await twoMailboxes(world);
    const seen: Sighting[] = [];
    const undo = world.tap((sighting) => void seen.push(sighting));
    alice.send('hello', bob.host);
    await world.runFor(10);
    undo();
    alice.send('unseen', bob.host);
    await world.runFor(10);
    expect(seen.map(({ what, atMs, wireBytes }) => [what, atMs, wireBytes])).toEqual([
      ['sent', 0, 33],
      ['arrived', 5, 33],
    ]);
    expect(seen[0]?.packet).toMatchObject({
      protocol: 'udp',
      from: { ip: alice.host.ip, port: PORT },
      to: { ip: bob.host.ip, port: PORT },
    });
  });

  it('is told what became of every packet that did not arrive', async () => {
    const access = { upBytesPerSecond: 1, queueMs: 0 };
    const world = new World({ seed: 1, profile: { ...LAN, mtuBytes: 40 } });
    const alice = new Mailbox(world, world.host('alice'));
    const thin = new Mailbox(world, world.host('thin', { access }));
    const [down, walled, lossy] = ['down', 'walled', 'lossy'].map((name) => world.host(name));
    if (!down || !walled || !lossy) throw new Error('three hosts');
    await world.runFor(0);
    world.block({ to: walled });
    world.path(alice.host, lossy, { ...LAN, loss: 1 });
    const fates: string[] = [];
    world.tap(({ what }) => void (what !== 'sent' && fates.push(what)));
    alice.send('x', { ip: '99.99.99.99', port: 1 });
    for (const to of [walled, lossy, down]) alice.send('x', to);
    alice.send('longer than forty bytes', thin.host);
    await world.runFor(1);
    thin.send('x', alice.host);
    thin.send('x', alice.host);
    await world.runFor(1);
    expect(fates).toEqual(['no route', 'barrier', 'lost', 'too large', 'host down', 'queue full']);
  });

  it('sees both sides of a translator by public addresses only', async () => {
    const world = new World({ seed: 1 });
    const nat = world.nat();
    const inside = new Mailbox(world, world.host('inside', { nat }));
    const bob = new Mailbox(world, world.host('bob'));
    const ips = new Set<string>();
    world.tap(({ packet: { from, to } }) => void ips.add(from.ip).add(to.ip));
    await world.runFor(0);
    inside.send('out', bob.host);
    await world.runFor(1);
    bob.send('in', bob.mail[0]?.from ?? bob.host);
    await world.runFor(1);
    expect(inside.texts).toEqual(['in']);
    expect(ips).toEqual(new Set([nat.ip, bob.host.ip]));
  });
});

describe('an attacker on the wire', () => {
  async function between(attack: (packet: Packet) => readonly Packet[] | undefined) {
    const world = new World({ seed: 1 });
    const [alice, bob] = await twoMailboxes(world);
    const stop = world.interfere(attack);
    for (const text of ['one', 'two', 'three']) {
      alice.send(text, bob.host);
      await world.runFor(1);
    }
    stop();
    alice.send('four', bob.host);
    await world.runFor(10);
    return bob.texts;
  }
  const isTwo = ({ bytes }: Packet) => bytes[1] === 'w'.charCodeAt(0);

  it('watches', async () => {
    expect(await between(() => undefined)).toEqual(['one', 'two', 'three', 'four']);
  });

  it('drops', async () => {
    expect(await between((packet) => (isTwo(packet) ? [] : undefined))).toEqual([
      'one',
      'three',
      'four',
    ]);
  });

  it('changes', async () => {
    const texts = await between((packet) => [{ ...packet, bytes: packet.bytes.map((b) => b ^ 1) }]);
    expect(texts).toEqual(['nod', 'uvn', 'uisdd', 'four']);
  });

  it('repeats, at once and later', async () => {
    expect(await between((packet) => [packet, packet])).toEqual([
      ...['one', 'one', 'two', 'two', 'three', 'three', 'four'],
    ]);
    const world = new World({ seed: 1 });
    const [alice, bob] = await twoMailboxes(world);
    world.interfere((packet) => {
      const replay = { ...packet, bytes: packet.bytes.slice() };
      world.after(1000, () => world.inject(replay));
      return undefined;
    });
    alice.send('again', bob.host);
    await world.runFor(2000);
    expect(bob.mail.map(({ text, from }) => [text, from.ip])).toEqual([
      ['again', alice.host.ip],
      ['again', alice.host.ip],
    ]);
  });

  it('injects with a sender of its choice, and leads packets astray', async () => {
    const world = new World({ seed: 1 });
    const [alice, bob] = await twoMailboxes(world);
    const from = { ip: '1.2.3.4', port: 5 };
    const to = { ip: bob.host.ip, port: PORT };
    const bytes = utf8('forged');
    world.inject({ protocol: 'udp', from, to, bytes });
    world.interfere((packet) => [{ ...packet, to: { ip: alice.host.ip, port: PORT } }]);
    alice.send('to bob', bob.host);
    await world.runFor(1);
    expect(bob.mail.map(({ text, from: sender }) => [text, sender])).toEqual([['forged', from]]);
    expect(alice.texts).toEqual(['to bob']);
    expect(bytes).toEqual(utf8('forged'));
  });

  it('cuts a TCP stream with a forged reset', async () => {
    const world = new World({ seed: 1 });
    const { client, clientEar } = await connect(world, world.host('a'), world.host('b'));
    world.interfere((packet) =>
      packet.protocol === 'tcp' && packet.segment.kind === 'ack'
        ? [{ ...packet, segment: { ...packet.segment, kind: 'reset' } }]
        : undefined,
    );
    client.write(utf8('x'));
    await world.runFor(10);
    expect(clientEar.closes).toBe(1);
  });
});
