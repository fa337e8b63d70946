import { describe, expect, it } from 'vitest';
import type { Address } from '../runtime/index.ts';
import { Nat, type NatOptions } from './nat.ts';
import type { Packet } from './packet.ts';
import { Mailbox, PORT } from './testing/mailbox.ts';
import { connect } from './testing/streams.ts';
import { World } from './world.ts';

async function home(options: NatOptions) {
  const world = new World({ seed: 1 });
  const nat = world.nat(options);
  const inside = new Mailbox(world, world.host('inside', { nat }));
  const bob = new Mailbox(world, world.host('bob'));
  const carol = new Mailbox(world, world.host('carol'));
  await world.runFor(0);
  /** The address `to` sees when the host inside writes to it. */
  const seenBy = async (to: Mailbox): Promise<Address> => {
    inside.send('out', to.host);
    await world.runFor(1);
    return to.mail.at(-1)?.from ?? { ip: 'none', port: 0 };
  };
  return { world, nat, inside, bob, carol, seenBy };
}

const OPEN = { filtering: 'endpoint-independent' } as const;

describe('a host behind a translator', () => {
  it('has a private address that leads nowhere from outside', async () => {
    const { world, inside, bob } = await home({});
    expect(inside.host.ip).toBe('10.0.0.2');
    bob.send('in', inside.host);
    await world.runFor(1);
    expect(inside.texts).toEqual([]);
  });

  it('is reached by the mapping its own packet made, and not before', async () => {
    const { world, nat, inside, bob, seenBy } = await home({});
    bob.send('too early', { ip: nat.ip, port: 1024 });
    await world.runFor(1);
    const mapped = await seenBy(bob);
    expect(mapped).toEqual({ ip: nat.ip, port: 1024 });
    bob.send('answer', mapped);
    await world.runFor(1);
    expect(inside.mail.map(({ text, from }) => [text, from])).toEqual([
      ['answer', { ip: bob.host.ip, port: PORT }],
    ]);
  });

  it('keeps its mapping as long as it uses it, and no longer', async () => {
    const { world, inside, bob, seenBy } = await home({ timeoutMs: 30_000 });
    const mapped = await seenBy(bob);
    await world.runFor(29_000);
    expect(await seenBy(bob)).toEqual(mapped);
    await world.runFor(29_000);
    bob.send('in time', mapped);
    await world.runFor(2000);
    bob.send('too late, and what came in did not count', mapped);
    await world.runFor(1);
    expect(inside.texts).toEqual(['in time']);
    expect(await seenBy(bob)).not.toEqual(mapped);
  });

  it('shows everybody one address, or everybody another when symmetric', async () => {
    const plain = await home({});
    expect(await plain.seenBy(plain.bob)).toEqual(await plain.seenBy(plain.carol));
    const symmetric = await home({ mapping: 'symmetric', ...OPEN });
    const forBob = await symmetric.seenBy(symmetric.bob);
    expect(forBob).not.toEqual(await symmetric.seenBy(symmetric.carol));
    expect(forBob).toEqual(await symmetric.seenBy(symmetric.bob));
  });

  it('is reached by third parties only where the filter is open', async () => {
    for (const [options, expected] of [
      [{}, []],
      [OPEN, ['guessed']],
    ] as const) {
      const { world, inside, bob, carol, seenBy } = await home(options);
      carol.send('guessed', await seenBy(bob));
      await world.runFor(1);
      expect(inside.texts).toEqual(expected);
    }
  });

  it('reaches others inside directly, but not by the public address', async () => {
    const { world, nat, inside, bob, seenBy } = await home(OPEN);
    const neighbour = new Mailbox(world, world.host('neighbour', { nat }));
    await world.runFor(0);
    const mapped = await seenBy(bob);
    neighbour.send('direct', inside.host);
    neighbour.send('hairpin', mapped);
    await world.runFor(1);
    expect(inside.mail.map(({ text, from }) => [text, from.ip])).toEqual([
      ['direct', neighbour.host.ip],
    ]);
  });

  it('meets another one by both sending first, unless one is symmetric', async () => {
    for (const [mapping, met] of [
      ['endpoint-independent', true],
      ['symmetric', false],
    ] as const) {
      const { world, inside, bob, seenBy } = await home({ mapping });
      const other = new Mailbox(world, world.host('other', { nat: world.nat() }));
      await world.runFor(0);
      const one = await seenBy(bob);
      other.send('who am I', bob.host);
      await world.runFor(1);
      const two = bob.mail.at(-1)?.from ?? one;
      for (let i = 0; i < 2; i++) {
        inside.send('punch', two);
        other.send('punch', one);
        await world.runFor(1);
      }
      expect(inside.texts.includes('punch')).toBe(met);
    }
  });

  it('dials out over TCP, long after UDP mappings would be gone', async () => {
    const world = new World({ seed: 1 });
    const nat = world.nat();
    const inside = world.host('inside', { nat });
    const { client, server, clientEar } = await connect(world, inside, world.host('bob'));
    expect(server.remote.ip).toBe(nat.ip);
    await world.runFor(3_600_000);
    server.write(Uint8Array.of(65));
    await world.runFor(1);
    expect(clientEar.text).toBe('A');
    client.destroy();
  });
});

it('a translator has room for as many mappings as there are ports, and reuses them', () => {
  const nat = new Nat('20.0.0.1', { mapping: 'symmetric', timeoutMs: 10_000 });
  const out = (port: number, nowMs: number): Packet | undefined => {
    const to = { ip: '20.0.0.2', port };
    const from = { ip: '10.0.0.2', port: 1 };
    return nat.outbound({ protocol: 'udp', from, to, bytes: new Uint8Array() }, nowMs);
  };
  const ports = new Set<number | undefined>();
  for (let i = 0; i < 64_512; i++) ports.add(out(i, 0)?.from.port);
  expect(ports.size).toBe(64_512);
  expect(ports.has(undefined)).toBe(false);
  expect(out(64_512, 9999)).toBeUndefined();
  expect(out(64_512, 10_000)).toBeDefined();
});
