import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes/index.ts';
import { Mailbox } from './testing/mailbox.ts';
import { connect } from './testing/streams.ts';
import { World } from './world.ts';

async function four() {
  const world = new World({ seed: 1 });
  const boxes = ['a', 'b', 'c', 'd'].map((name) => new Mailbox(world, world.host(name)));
  await world.runFor(0);
  const hosts = boxes.map(({ host }) => host);
  /** Everybody writes to everybody; who hears whom, as `from>to`. */
  const heard = async (): Promise<string> => {
    for (const box of boxes) box.mail.length = 0;
    for (const from of boxes) {
      for (const to of hosts) if (to !== from.host) from.send(from.host.name, to);
    }
    await world.runFor(10);
    return boxes.flatMap(({ host, texts }) => texts.map((from) => from + host.name)).join(' ');
  };
  return { world, hosts, heard };
}

const ALL = 'ba ca da ab cb db ac bc dc ad bd cd';

describe('a partition', () => {
  it('parts its groups, leaves the others alone, and heals', async () => {
    const { world, hosts, heard } = await four();
    const [a, b, c] = hosts;
    expect(await heard()).toBe(ALL);
    const heal = world.partition(
      new Set(a && [a]),
      [b, c].flatMap((host) => host ?? []),
    );
    expect(await heard()).toBe('da cb db bc dc ad bd cd');
    heal();
    expect(await heard()).toBe(ALL);
  });

  it('adds to other partitions', async () => {
    const { world, hosts, heard } = await four();
    const [first, second, ...rest] = hosts.map((host) => [host]);
    const heal = world.partition(
      first ?? [],
      [second, ...rest].flatMap((one) => one ?? []),
    );
    world.partition(second ?? [], rest.flat());
    expect(await heard()).toBe('dc cd');
    heal();
    expect(await heard()).toBe('ba ca da ab ac dc ad cd');
  });

  it('lets arrive what was under way', async () => {
    const world = new World({ seed: 1, profile: { latency: { type: 'constant', ms: 100 } } });
    const [alice, bob] = ['a', 'b'].map((name) => new Mailbox(world, world.host(name)));
    await world.runFor(0);
    if (alice === undefined || bob === undefined) throw new Error('two boxes');
    alice.send('in time', bob.host);
    await world.runFor(50);
    world.partition([alice.host], [bob.host]);
    alice.send('too late', bob.host);
    await world.runFor(500);
    expect(bob.texts).toEqual(['in time']);
  });
});

describe('a block', () => {
  it('stops one direction, one sender, one receiver', async () => {
    const { world, hosts, heard } = await four();
    const [a, b, c] = hosts;
    if (!a || !b || !c) throw new Error('four hosts');
    const lift = world.block({ from: a, to: b });
    expect(await heard()).toBe('ba ca da cb db ac bc dc ad bd cd');
    lift();
    const both = [world.block({ from: a }), world.block({ to: c })];
    expect(await heard()).toBe('ba ca da cb db bd cd');
    for (const undo of both) undo();
    expect(await heard()).toBe(ALL);
  });

  it('of UDP lets TCP through', async () => {
    const { world, heard } = await four();
    world.block({ protocol: 'udp' });
    expect(await heard()).toBe('');
    const { client, serverEar } = await connect(world, world.host('e'), world.host('f'));
    client.write(utf8('a stream'));
    await world.runFor(10);
    expect(serverEar.text).toBe('a stream');
  });
});
