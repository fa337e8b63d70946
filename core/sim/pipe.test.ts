import { describe, expect, it } from 'vitest';
import type { AccessLine } from './host.ts';
import type { Sighting } from './network.ts';
import { Mailbox } from './testing/mailbox.ts';
import { World } from './world.ts';

/** With the 28 bytes of its headers, 100 bytes on the wire. */
const HUNDRED = 'x'.repeat(72);

async function lines(up: AccessLine, down: AccessLine) {
  const world = new World({ seed: 1, profile: { latency: { type: 'constant', ms: 10 } } });
  const alice = new Mailbox(world, world.host('alice', { access: up }));
  const bob = new Mailbox(world, world.host('bob', { access: down }));
  const seen: [Sighting['what'], number][] = [];
  world.tap(({ what, atMs }) => void seen.push([what, atMs]));
  await world.runFor(0);
  return { world, alice, bob, seen };
}

describe('an access line', () => {
  it('lets out so many bytes a second, headers included', async () => {
    const { world, alice, bob, seen } = await lines({ upBytesPerSecond: 1000 }, {});
    for (let i = 0; i < 3; i++) alice.send(HUNDRED, bob.host);
    await world.runFor(1000);
    expect(bob.times).toEqual([110, 210, 310]);
    expect(seen.filter(([what]) => what === 'sent').map(([, atMs]) => atMs)).toEqual([
      100, 200, 300,
    ]);
  });

  it('lets in so many, whoever they are from', async () => {
    const { world, alice, bob } = await lines({}, { downBytesPerSecond: 2000 });
    const carol = new Mailbox(world, world.host('carol'));
    await world.runFor(0);
    alice.send(HUNDRED, bob.host);
    carol.send(HUNDRED, bob.host);
    await world.runFor(1000);
    expect(bob.times).toEqual([60, 110]);
  });

  it('drops what finds its queue full, and recovers when it has drained', async () => {
    const up = { upBytesPerSecond: 1000, queueMs: 250 };
    const { world, alice, bob, seen } = await lines(up, {});
    for (let i = 0; i < 10; i++) alice.send(HUNDRED, bob.host);
    await world.runFor(1000);
    expect(bob.times).toEqual([110, 210, 310]);
    expect(seen.filter(([what]) => what === 'queue full')).toHaveLength(7);
    alice.send(HUNDRED, bob.host);
    await world.runFor(1000);
    expect(bob.times.at(-1)).toBe(1110);
  });
});
