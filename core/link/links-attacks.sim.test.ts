// The attacks of protocol 12 that the data plane and the table of links have to stand. Those on the handshake alone are
// in attacks.test.ts.

import { describe, expect, it } from 'vitest';
import { chooseProvider } from '../crypto/index.ts';
import {
  type Address,
  type Rng,
  randomBytes,
  randomU32,
  type TcpStream,
} from '../runtime/index.ts';
import { EU, type Host, type World } from '../sim/index.ts';
import { CELL_BYTES, COMMAND, cellBody, writeCellHeader } from './cells.ts';
import { PENDING_MAX } from './gate.ts';
import type { TrafficKeys } from './keys.ts';
import { mac1Key, writeMac1 } from './macs.ts';
import { NETWORK_ID } from './testing/nodes.ts';
import { linked, type SimNode, simulateLinks, startNodes } from './testing/sim-node.ts';
import {
  DATAGRAM_BYTES,
  encodeHandshakePacket,
  HEADER_BYTES,
  isData,
  writeDataHeader,
} from './wire.ts';

const provider = chooseProvider();

/** The keys that `node` sends under. */
function keysOf(node: SimNode): TrafficKeys {
  const added = node.commands.findLast(({ type }) => type === 'add session');
  if (added?.type !== 'add session') throw new Error('there is no session');
  return added.session.keys;
}

/** What `node` could send if it were a villain: an authentic packet of whatever is put into it. */
function authentic(node: SimNode, content: Uint8Array, counter: number): Uint8Array {
  const { sendKey, sendIndex } = keysOf(node);
  const packet = new Uint8Array(HEADER_BYTES + content.length + 16);
  writeDataHeader(packet, sendIndex, counter);
  packet.set(content, HEADER_BYTES);
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true);
  provider.seal(packet.subarray(HEADER_BYTES), nonce, packet.subarray(0, HEADER_BYTES), sendKey);
  return packet;
}

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

/** A stranger who dials `to` and writes as told. */
async function dialRaw(world: World, to: Address, host: Host = world.host('stranger')) {
  const seen = { closedMs: Number.POSITIVE_INFINITY, bytes: 0 };
  const { network } = host.up ? bug() : host.start();
  const stream = await world.complete(
    network.dialTcp(to, {
      timeoutMs: 5000,
      handlers: {
        onData: (bytes) => {
          seen.bytes += bytes.length;
        },
        onClose: () => {
          seen.closedMs = world.nowMs();
        },
      },
    }),
  );
  return { stream, seen };
}

function bug(): never {
  throw new Error('a host of its own for each');
}

/** A fresh INIT that knows whom it calls. */
function initTo(identity: Uint8Array, rng: Rng): Uint8Array {
  const packet = encodeHandshakePacket({
    type: 'init',
    index: randomU32(rng),
    noise: randomBytes(rng, 32),
  });
  writeMac1(packet, mac1Key(NETWORK_ID, identity));
  return packet;
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
          if (size > HEADER_BYTES) writeDataHeader(forged, keysOf(b).sendIndex, ms);
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
      writeDataHeader(forged, keysOf(b).sendIndex, 5);
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

  it('close a stream, whose bytes are its owner s own in effect', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      world.block({ protocol: 'udp' });
      const [atA, atB] = await linked(world, a, b);
      const { route } = b.commands
        .filter((command) => command.type === 'add session')
        .map(({ session }) => session)[0] ?? { route: bug() };
      const short = authentic(b, new Uint8Array(CELL_BYTES - 1), FAR);
      b.plane.handle({ type: 'send packet', route, packet: short });
      b.send(atB, Uint8Array.of(1));
      await world.runFor(1000);
      expect(a.event('down')).toMatchObject({ link: atA, why: 'stream closed' });
      expect(b.event('down')).toMatchObject({ link: atB, why: 'stream closed' });
      expect(a.links.status(0).bans).toBe(0);
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

describe('attack 13: streams that waste a place', () => {
  it('are closed when they are slow: no record in 3 s', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a] = await startNodes(world, ['alice']);
      const { stream, seen } = await dialRaw(world, a.address);
      const startMs = world.nowMs();
      trickle(world, stream, 5);
      await world.until(() => seen.closedMs < Number.POSITIVE_INFINITY);
      expect(seen.closedMs - startMs).toBeGreaterThanOrEqual(2999);
      expect(seen.closedMs - startMs).toBeLessThan(4100);
    });
  });

  it('are closed when no handshake comes of them', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a] = await startNodes(world, ['alice']);
      const { stream, seen } = await dialRaw(world, a.address);
      const startMs = world.nowMs();
      for (let i = 0; i < 100; i++)
        world.after(100 * i, () => stream.write(initTo(a.identity, world.rng('x'))));
      await world.until(() => seen.closedMs < Number.POSITIVE_INFINITY);
      expect(seen.closedMs - startMs).toBeLessThan(9100);
    });
  });

  it('are closed at once when they bring what is no packet', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a] = await startNodes(world, ['alice']);
      const { stream, seen } = await dialRaw(world, a.address);
      stream.write(new Uint8Array(DATAGRAM_BYTES).fill(0x47));
      await world.runFor(10);
      expect(seen.closedMs).toBeLessThan(world.nowMs());
      expect(seen.bytes).toBe(0);
    });
  });

  it('are closed when a record of a link takes longer than 5 s', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a, b] = await startNodes(world, ['alice', 'bob']);
      world.block({ protocol: 'udp' });
      await linked(world, a, b);
      await world.runFor(1000);
      const route =
        b.commands.find((command) => command.type === 'add session')?.session.route ?? bug();
      b.plane.handle({ type: 'send packet', route, packet: new Uint8Array(100).fill(4) });
      const startMs = world.nowMs();
      await world.until(() => a.event('down') !== undefined);
      expect(a.event('down')?.why).toBe('stream closed');
      expect(world.nowMs() - startMs).toBeGreaterThanOrEqual(4999);
      expect(world.nowMs() - startMs).toBeLessThan(6100);
    });
  });

  it('are 64 at most, 4 of a netgroup, and places are given back', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const [a] = await startNodes(world, ['alice']);
      const dialled = [];
      for (let i = 0; i < 24; i++) {
        for (let j = 0; j < 6; j++) {
          const host = world.host(`s${i}-${j}`, { ips: [`60.${i}.${j}.1`] });
          dialled.push(await dialRaw(world, a.address, host));
        }
      }
      await world.runFor(100);
      const open = dialled.filter(({ seen }) => seen.closedMs === Number.POSITIVE_INFINITY);
      expect(open).toHaveLength(64);
      expect(dialled.indexOf(open[4] ?? bug())).toBe(6);
      await world.runFor(5000);
      const { seen } = await dialRaw(world, a.address, world.host('late'));
      await world.runFor(100);
      expect(seen.closedMs).toBe(Number.POSITIVE_INFINITY);
    });
  });
});

/** A byte now and then. */
function trickle(world: World, stream: TcpStream, everyMs: number): void {
  for (let i = 0; i < 500; i++) world.after(i * everyMs, () => stream.write(Uint8Array.of(1)));
}

describe('a stream that backs up', () => {
  it('drops the oldest cells instead of delaying all that follow', async () => {
    await simulateLinks({ seed: 1 }, async (world) => {
      const access = { upBytesPerSecond: 15_000, queueMs: 100 };
      const a = await startNodes(world, ['alice'], {
        host: world.host('slow', { access }),
      }).then(([node]) => node);
      const [b] = await startNodes(world, ['bob']);
      world.block({ protocol: 'udp' });
      const [atA] = await linked(world, a, b);
      const sentMs: number[] = [];
      const delays: number[] = [];
      for (let n = 0; n < 250; n++) {
        world.after(n * 20, () => {
          sentMs[n] = world.nowMs();
          a.send(atA, Uint8Array.of(n));
        });
      }
      let seen = 0;
      await world.until(() => {
        for (const { body } of b.cells.slice(seen))
          delays.push(world.nowMs() - (sentMs[body[0] ?? 0] ?? 0));
        seen = b.cells.length;
        return b.cells.some(({ body }) => body[0] === 249);
      });
      expect(b.cells.length).toBeLessThan(200);
      expect(a.plane.counters.backlogDropped).toBe(250 - b.cells.length);
      expect(Math.max(...delays)).toBeLessThan(2000);
      expect([...a.all('down'), ...b.all('down')]).toEqual([]);
    });
  });
});
