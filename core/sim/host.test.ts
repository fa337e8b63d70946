import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../bytes/index.ts';
import { randomBytes } from '../runtime/index.ts';
import type { Program } from './host.ts';
import { Mailbox, PORT, twoMailboxes } from './testing/mailbox.ts';
import { connect, Ear } from './testing/streams.ts';
import { WALL_START_MS } from './virtual-time.ts';
import { World } from './world.ts';

describe('a program', () => {
  it('finds its runtime, its disk and its host', async () => {
    const world = new World({ seed: 1 });
    const alice = world.host('alice');
    const ran: string[] = [];
    const runtime = alice.start((env) => {
      ran.push(env.host.name);
      env.disk.set('file', utf8('kept'));
      expect(env.runtime.clock.nowMs()).toBe(0);
      return undefined;
    });
    expect(ran).toEqual(['alice']);
    expect(alice.disk.get('file')).toEqual(utf8('kept'));
    expect(runtime.clock.wallMs()).toBe(WALL_START_MS);
    expect(() => alice.start()).toThrow('alice is running already');
  });

  it.each<[string, Program]>([
    [
      'at once',
      () => {
        throw new Error('a bug of mine');
      },
    ],
    [
      'some time later',
      async ({ runtime }) => {
        await new Promise<void>((resolve) => void runtime.timers.after(10, resolve));
        throw new Error('a bug of mine');
      },
    ],
    [
      'in a timer',
      ({ runtime }) => {
        runtime.timers.after(10, () => {
          throw new Error('a bug of mine');
        });
        return undefined;
      },
    ],
  ])('that throws %s stops the world', async (_, program) => {
    const world = new World({ seed: 1 });
    world.host('alice').start(program);
    await expect(world.runFor(100)).rejects.toThrow('a bug of mine');
  });
});

describe('a crash', () => {
  it('stops timers and sockets, and nobody hears more of that life', async () => {
    const world = new World({ seed: 1 });
    const [alice, bob] = await twoMailboxes(world);
    let ticks = 0;
    const carol = world.host('carol');
    const { timers } = carol.start();
    const tick = (): void => {
      ticks++;
      timers.after(10, tick);
    };
    tick();
    await world.runFor(35);
    carol.crash();
    timers.after(0, tick);
    alice.send('under way', bob.host);
    alice.host.crash();
    alice.send('from the dead', bob.host);
    bob.send('to the dead', alice.host);
    await world.runFor(100);
    expect(ticks).toBe(4);
    expect(bob.texts).toEqual(['under way']);
    expect(alice.texts).toEqual([]);
    expect([alice.host.up, bob.host.up, carol.up]).toEqual([false, true, false]);
  });

  it('leaves what a program waits for unanswered', async () => {
    const world = new World({ seed: 1 });
    const alice = world.host('alice');
    const went: string[] = [];
    alice.start(async ({ runtime }) => {
      const handlers = new Ear();
      const dial = runtime.network.dialTcp(
        { ip: '99.9.9.9', port: 1 },
        { timeoutMs: 10, handlers },
      );
      await dial.catch(() => went.push('dialled'));
      went.push('went on');
    });
    await world.runFor(5);
    alice.crash();
    await world.runFor(1000);
    expect(went).toEqual([]);
  });

  it('leaves the disk to the next life, and nothing else', async () => {
    const world = new World({ seed: 1 });
    const alice = world.host('alice');
    const lives: string[] = [];
    const program: Program = async ({ runtime, disk }) => {
      await runtime.network.bindUdp({ ip: alice.ip, port: PORT }, { onPacket: () => {} });
      const before = disk.get('lives')?.length ?? 0;
      disk.set('lives', new Uint8Array(before + 1));
      lives.push(`${before} at ${runtime.clock.nowMs()} ${toHex(randomBytes(runtime.rng, 4))}`);
    };
    alice.start(program);
    await world.runFor(1000);
    alice.crash();
    await world.runFor(1000);
    alice.start();
    await world.runFor(1000);
    alice.restart();
    await world.runFor(1000);
    expect(lives.map((life) => life.slice(0, 6))).toEqual(['0 at 0', '1 at 0', '2 at 0']);
    expect(new Set(lives.map((life) => life.slice(6))).size).toBe(3);
  });

  it('of one host leaves the timers of the others alone', async () => {
    const world = new World({ seed: 1 });
    const hosts = Array.from({ length: 20 }, (_, i) => world.host(`${i}`));
    const rang: number[] = [];
    hosts.forEach((host, i) => {
      host.start().timers.after(100 - i, () => rang.push(i));
    });
    hosts.forEach((host, i) => {
      if (i % 3 === 0) host.crash();
    });
    await world.runFor(1000);
    const survivors = hosts.map((_, i) => i).filter((i) => i % 3 !== 0);
    expect(rang).toEqual(survivors.reverse());
  });

  it('can come from the program itself, and ends it there and then', async () => {
    const world = new World({ seed: 1 });
    const [alice, bob] = await twoMailboxes(world);
    world.after(10, () => {
      alice.host.crash();
      alice.send('last words', bob.host);
    });
    await world.runFor(100);
    expect(bob.texts).toEqual([]);
  });
});

describe('TCP streams of a host that crashed', () => {
  it('stay open on the other side as long as that has nothing to say', async () => {
    const world = new World({ seed: 1 });
    const bob = world.host('bob');
    const { clientEar, serverEar } = await connect(world, world.host('alice'), bob);
    bob.crash();
    await world.runFor(1_000_000);
    expect([clientEar.closes, serverEar.closes]).toEqual([0, 0]);
  });

  it('close by time-out when it stays down', async () => {
    const world = new World({ seed: 1 });
    const bob = world.host('bob');
    const { client, clientEar, serverEar } = await connect(world, world.host('alice'), bob);
    bob.crash();
    client.write(utf8('hello?'));
    await world.runFor(90_000);
    expect(clientEar.closes).toBe(0);
    await world.runFor(90_000);
    expect([clientEar.closes, serverEar.closes]).toEqual([1, 0]);
  });

  it('close on the next write when it is up again', async () => {
    const world = new World({ seed: 1 });
    const bob = world.host('bob');
    const { client, clientEar, serverEar } = await connect(world, world.host('alice'), bob);
    bob.restart();
    await world.runFor(10_000);
    expect(clientEar.closes).toBe(0);
    client.write(utf8('hello?'));
    await world.runFor(1);
    expect([clientEar.closes, serverEar.closes, serverEar.text]).toEqual([1, 0, '']);
  });
});

describe('an orderly stop', () => {
  it('lets the program finish, closes its streams, and keeps the disk', async () => {
    const world = new World({ seed: 1 });
    const [alice, bob] = [world.host('alice'), world.host('bob')];
    const said: string[] = [];
    const peer = new Mailbox(world, world.host('peer'));
    alice.start(async ({ runtime, disk }) => {
      const socket = await runtime.network.bindUdp(
        { ip: '0.0.0.0', port: 0 },
        { onPacket: () => {} },
      );
      return {
        stop: async () => {
          socket.send(utf8('goodbye'), { ip: peer.host.ip, port: PORT });
          await new Promise<void>((resolve) => void runtime.timers.after(50, resolve));
          disk.set('saved', utf8('all'));
          said.push('stopped');
        },
      };
    });
    await world.complete(alice.stop());
    await world.runFor(1);
    expect([said, peer.texts, alice.up]).toEqual([['stopped'], ['goodbye'], false]);
    expect(alice.disk.get('saved')).toEqual(utf8('all'));
    const { clientEar } = await connect(world, alice, bob);
    await world.complete(bob.stop());
    await world.runFor(1);
    expect(clientEar.closes).toBe(1);
  });

  it('of a host that is down is nothing', async () => {
    const host = new World({ seed: 1 }).host('alice');
    await host.stop();
    expect(host.up).toBe(false);
  });
});

describe('the clocks of a host', () => {
  it('drift, and its timers with them', async () => {
    const world = new World({ seed: 1 });
    const fast = world.host('fast', { driftPpm: 100 }).start();
    const slow = world.host('slow', { driftPpm: -100 }).start();
    const rang: [string, number][] = [];
    fast.timers.after(1_000_000, () => rang.push(['fast', world.nowMs()]));
    slow.timers.after(1_000_000, () => rang.push(['slow', world.nowMs()]));
    await world.run(2_000_000);
    expect(fast.clock.nowMs()).toBeCloseTo(2_000_200, 6);
    expect(fast.clock.wallMs() - WALL_START_MS).toBe(2_000_200);
    expect(slow.clock.wallMs() - WALL_START_MS).toBe(1_999_800);
    expect(rang.map(([name, atMs]) => [name, Math.round(atMs)])).toEqual([
      ['fast', 999_900],
      ['slow', 1_000_100],
    ]);
  });

  it('never reach a deadline late by rounding', async () => {
    const world = new World({ seed: 1 });
    const { clock, timers } = world.host('a', { driftPpm: 37 }).start();
    const late: number[] = [];
    for (let i = 0; i < 100; i++) {
      const deadlineMs = 1000 + i * 7.77;
      timers.after(deadlineMs - clock.nowMs(), () => late.push(clock.nowMs() - deadlineMs));
    }
    await world.runFor(3000);
    expect(Math.min(...late)).toBeGreaterThan(-1e-9);
    expect(Math.max(...late)).toBeLessThan(0.002);
  });

  it('never go back by themselves', async () => {
    const world = new World({ seed: 1 });
    const { clock } = world.host('slow', { driftPpm: -200, offsetMs: 0.5 }).start();
    let last = clock.wallMs();
    for (let i = 0; i < 20_000; i++) {
      world.time.advance(0.7);
      expect(clock.wallMs()).toBeGreaterThanOrEqual(last);
      last = clock.wallMs();
    }
  });

  it('may be set wrong, and be set right while running', async () => {
    const world = new World({ seed: 1 });
    const host = world.host('a', { offsetMs: -3_600_000 });
    const { clock } = host.start();
    await world.runFor(500);
    expect(clock.wallMs()).toBe(WALL_START_MS - 3_600_000 + 500);
    host.stepWall(3_600_000);
    expect(clock.wallMs()).toBe(WALL_START_MS + 500);
    expect(clock.nowMs()).toBe(500);
  });
});

describe('the randomness of a host', () => {
  const draw = (seed: number, name: string, others: readonly string[] = []): string => {
    const world = new World({ seed });
    for (const other of others) world.host(other).start();
    return toHex(randomBytes(world.host(name).start().rng, 16));
  };

  it('comes from the seed of the world and the name, whoever else is there', () => {
    expect(draw(1, 'alice')).toBe(draw(1, 'alice', ['bob', 'carol']));
    expect(draw(1, 'alice')).not.toBe(draw(2, 'alice'));
    expect(draw(1, 'alice')).not.toBe(draw(1, 'bob'));
  });

  it('is never that of another host', () => {
    const world = new World({ seed: 1 });
    const streams = new Set<string>();
    for (let i = 0; i < 20_000; i++) {
      streams.add(toHex(randomBytes(world.rng(`${i}`), 8)));
    }
    expect(streams.size).toBe(20_000);
  });
});
