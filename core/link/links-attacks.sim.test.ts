// The attacks of protocol 12 that the data plane and the table of links have to stand. Those on the handshake alone are
// in attacks.test.ts.

import { describe, expect, it } from 'vitest';
import { type Address, randomBytes } from '../runtime/index.ts';
import { EU, type World } from '../sim/index.ts';
import { CELL_BYTES, COMMAND, cellBody, writeCellHeader } from './cells.ts';
import { PENDING_MAX } from './gate.ts';
import { linked, simulateLinks, startNodes } from './testing/sim-node.ts';
import { authentic, initTo, newestSession } from './testing/villain.ts';
import { HEADER_BYTES, isData, writeDataHeader } from './wire.ts';

/** A far counter, so that what the node really sends does not meet it. */
const FAR = 1_000_000;

function inject(world: World, from: Address, to: Address, bytes: Uint8Array): void {
  world.inject({ protocol: 'udp', from, to, bytes });
}

function cell(command: number, circuit: number, change: (cell: Uint8Array) => void = () => {}) {
  const bytes = new Uint8Array(CELL_BYTES);
  writeCellHeader(bytes, circuit, COMMAND.relay);
  bytes[4] = command;
  change(bytes);
  return bytes;
}

describe('attack 1: replay of link packets', () => {
  it('brings no cell twice, and nothing to an end', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const recorded: { from: Address; to: Address; bytes: Uint8Array }[] = [];
      const undo = world.tap(({ what, packet }) => {
        const { from, to, bytes } = packet;
        if (what === 'sent') recorded.push({ from, to, bytes: new Uint8Array(bytes) });
      });
      const [atA] = await linked(world, a, b);
      for (let i = 0; i < 100; i++) a.send(atA, Uint8Array.of(i));
      await world.until(() => b.cells.length === 100);
      undo();
      for (let round = 0; round < 3; round++) {
        for (const { from, to, bytes } of recorded) inject(world, from, to, bytes);
        await world.runFor(1000);
      }
      expect(b.cells.map(({ body }) => body[0])).toEqual(Array.from({ length: 100 }, (_, i) => i));
      await world.runFor(10_000);
      expect([a.ups.length, b.ups.length]).toEqual([1, 1]);
      expect([...a.all('down'), ...b.all('down')]).toEqual([]);
      a.send(atA, Uint8Array.of(200));
      await world.until(() => b.cells.length === 101);
    });
  });
});

describe('packets from elsewhere', () => {
  it('are not the neighbour s, however authentic: there is no roaming', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      await linked(world, a, b);
      const packet = authentic(b, cell(COMMAND.relay, 1), FAR);
      inject(world, { ...b.address, port: 1 }, a.address, packet);
      inject(world, { ...b.address, ip: '99.9.9.9' }, a.address, packet);
      await world.runFor(10);
      expect(a.cells).toEqual([]);
      inject(world, b.address, a.address, packet);
      await world.runFor(10);
      expect(a.cells).toHaveLength(1);
    });
  });

  it('do not go on with a handshake', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      world.interfere((packet) => {
        const isFromB = packet.protocol === 'udp' && packet.from.ip === b.host.ip;
        return isFromB ? [{ ...packet, from: { ip: '99.9.9.9', port: 4000 } }] : undefined;
      });
      world.block({ protocol: 'tcp' });
      a.open(b, b.address);
      await world.until(() => a.event('failed') !== undefined);
      expect(a.event('failed')?.why).not.toBe('timeout');
      expect(a.commands.map(({ type }) => type)).not.toContain('add session');
    });
  });
});

describe('attack 6: wrong sizes', () => {
  it.each([0, 1, 100, 519, 521, 1000])(
    'end the link and ban the node within a second, if they are its own: cell of %i bytes',
    async (bytes) => {
      await simulateLinks({ seed: 1 }, async (world) => {
        const [a, b] = await startNodes(world, ['alice', 'bob']);
        const [atA] = await linked(world, a, b);
        inject(world, b.address, a.address, authentic(b, new Uint8Array(bytes), FAR));
        await world.runFor(1000);
        expect(a.event('down')).toMatchObject({ link: atA, why: 'violation' });
        expect(a.open(b, b.address)).toEqual({ type: 'failed', why: 'banned' });
      });
    },
  );

  it('do nothing if anybody may have sent them', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const [atA, atB] = await linked(world, a, b);
      const rng = world.rng('villain');
      const real = authentic(b, new Uint8Array(100), FAR);
      const stranger = { ip: '99.9.9.9', port: 4000 };
      for (let ms = 0; ms < 5000; ms += 50) {
        for (const size of [0, 1, 15, 16, 17, 36, 551, 553, 1400]) {
          const forged = randomBytes(rng, size);
          if (size > HEADER_BYTES) writeDataHeader(forged, newestSession(b).keys.sendIndex, ms);
          inject(world, b.address, a.address, forged);
        }
        inject(world, stranger, a.address, real);
        const flipped = new Uint8Array(real);
        flipped[50] = (flipped[50] ?? 0) ^ 1;
        inject(world, b.address, a.address, flipped);
        b.send(atB, Uint8Array.of(ms / 50));
        await world.runFor(50);
      }
      expect(a.cells).toHaveLength(100);
      expect(a.all('down')).toEqual([]);
      expect(a.send(atA, Uint8Array.of(1))).toBe(true);
      expect(a.links.status(0).bans).toBe(0);
    });
  });

  it('are tried to open once a second at the most', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      await linked(world, a, b);
      const forged = new Uint8Array(60);
      writeDataHeader(forged, newestSession(b).keys.sendIndex, 5);
      inject(world, b.address, a.address, forged);
      await world.runFor(500);
      inject(world, b.address, a.address, authentic(b, new Uint8Array(100), FAR));
      await world.runFor(400);
      expect(a.all('down')).toEqual([]);
      await world.runFor(200);
      inject(world, b.address, a.address, authentic(b, new Uint8Array(100), FAR));
      await world.runFor(100);
      expect(a.event('down')?.why).toBe('violation');
    });
  });
});

describe('what only a neighbour itself can have sent', () => {
  it.each([
    ['reserved bytes', cell(COMMAND.relay, 1, (bytes) => bytes.fill(1, 6, 8))],
    ['an unknown command', cell(77, 1)],
    ['a relay cell of the link itself', cell(COMMAND.relay, 0)],
    ['padding of a circuit', cell(COMMAND.padding, 1)],
    ['a fragment too many', cell(COMMAND.create, 1, (bytes) => bytes.fill(0x04, 5, 6))],
    ['an unknown LINK_CTRL', cell(COMMAND.linkControl, 0, (bytes) => bytes.fill(99, 8, 9))],
    ['PING of another length', cell(COMMAND.linkControl, 0, (bytes) => cellBody(bytes).set([8]))],
    ['LOAD without content', cell(COMMAND.linkControl, 0, (bytes) => cellBody(bytes).set([6]))],
    ['REKEY of another length', cell(COMMAND.linkControl, 0, (bytes) => cellBody(bytes).set([4]))],
  ])('ends the link and bans it: %s', async (_, content) => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const [atA] = await linked(world, a, b);
      inject(world, b.address, a.address, authentic(b, content, FAR));
      await world.runFor(100);
      expect(a.event('down')).toMatchObject({ link: atA, why: 'violation' });
      expect(a.links.status(0).bans).toBe(1);
      expect(a.cells).toEqual([]);
    });
  });

  it('does not fill the control plane: of LINK_CTRL so much a second is passed on', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      await linked(world, a, b);
      const ping = cell(COMMAND.linkControl, 0, (bytes) => cellBody(bytes).set([8, 0, 0, 8]));
      await world.runFor(1000);
      const before = a.planeEvents.length;
      for (let i = 0; i < 5000; i++) {
        inject(world, b.address, a.address, authentic(b, ping, FAR + i));
        if (i % 50 === 49) await world.runFor(20);
      }
      expect(a.planeEvents.length - before).toBeLessThan(150);
      expect(a.all('down')).toEqual([]);
    });
  });
});

describe('attack 13: floods', () => {
  it('of 5000 INITs a second from everywhere cost a link nothing', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const [atA, atB] = await linked(world, a, b);
      const rng = world.rng('flood');
      const out = { packets: 0 };
      world.tap(({ what, packet }) => {
        const isAnswer = what === 'sent' && packet.from.ip === a.host.ip;
        if (isAnswer && !isData(packet.bytes)) out.packets++;
      });
      for (let slot = 0; slot < 50; slot++) {
        for (let i = 0; i < 100; i++) {
          const [x = 0, y = 0, z = 0] = randomBytes(rng, 3);
          const from = { ip: `${100 + (x % 20)}.${y}.${z}.1`, port: 1 + i };
          inject(world, from, a.address, initTo(a.identity, rng));
        }
        a.send(atA, Uint8Array.of(slot));
        b.send(atB, Uint8Array.of(slot));
        await world.runFor(20);
      }
      expect([a.cells.length, b.cells.length]).toEqual([50, 50]);
      expect(out.packets).toBeLessThanOrEqual(5000);
      expect(a.links.status(0).callers).toBeLessThanOrEqual(PENDING_MAX / 2);
      const sessions = a.commands.filter(({ type }) => type === 'add session');
      expect(sessions).toHaveLength(2);
      await world.runFor(4000);
      expect(a.links.status(0).callers).toBe(0);
    });
  });

  it('keep nobody honest out', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      const rng = world.rng('flood');
      for (let i = 0; i < 2000; i++) {
        inject(world, { ip: '100.1.1.1', port: 1 }, a.address, initTo(b.identity, rng));
      }
      b.open(a, a.address);
      for (let ms = 0; ms < 4000 && b.ups.length === 0; ms += 20) {
        for (let i = 0; i < 20; i++) {
          const from = { ip: `100.${randomBytes(rng, 1)[0]}.7.1`, port: 1 + i };
          inject(world, from, a.address, initTo(a.identity, rng));
        }
        await world.runFor(20);
      }
      expect(b.ups).toHaveLength(1);
    });
  });

  it('of handshakes that stop at FIN or after are bounded and forgotten', async () => {
    await simulateLinks({ seed: 1, profile: EU }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      b.open(a, a.address);
      await world.until(() => b.commands.some(({ type }) => type === 'add session'));
      b.host.crash();
      await world.runFor(100);
      expect(a.links.status(0).callers).toBe(1);
      await world.runFor(9000);
      expect(a.links.status(0)).toMatchObject({ callers: 0, links: [] });
      expect(a.commands.at(-1)?.type).toBe('remove link');
    });
  });
});
