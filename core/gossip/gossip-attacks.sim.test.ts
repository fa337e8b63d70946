// What hostile neighbours and strangers try against whole nodes (protocol 12, attacks 12, 13, 20 and 28).

import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes/index.ts';
import type { PathProfile } from '../sim/index.ts';
import type { ItemId } from './item.ts';
import { encodeFrame } from './records.ts';
import { DEAR_TYPE, encodedItem, FREE_TYPE } from './testing/fixtures.ts';
import { NAMES, PORT, type SimNode, simulateGossip, startLine } from './testing/sim-node.ts';
import { Villain } from './testing/villain.ts';
import type { GossipMessage } from './wire.ts';

const FAR: PathProfile = { latency: { type: 'constant', ms: 20 } };
const SOON_MS = 5000;

/** Items without end, of a type that costs nothing. */
function items(bytes: number): () => readonly GossipMessage[] {
  let count = 0;
  return () => {
    const data = new Uint8Array(bytes);
    new DataView(data.buffer).setUint32(0, count++);
    return [{ type: 'push', item: encodedItem(data) }];
  };
}

/** Ids without end, of items that nobody has. */
function lies(): () => readonly GossipMessage[] {
  let count = 0;
  return () => {
    const id = (): ItemId =>
      String.fromCharCode(count & 0xff, (count++ >> 8) & 0xff, ...new Array(14).fill(9)) as ItemId;
    return [{ type: 'ihave', ids: Array.from({ length: 256 }, id) }];
  };
}

const FLOODS: readonly (readonly [string, () => () => readonly GossipMessage[]])[] = [
  ['small items', () => items(4)],
  ['large items', () => items(60_000)],
  ['ids of items that do not exist', lies],
  ['PULLs', () => () => [{ type: 'pull', sinceMin: 0, ids: [] }]],
  ['PINGs', () => () => new Array(50).fill({ type: 'ping', nonce: new Uint8Array(8) })],
  ['requests for nodes', () => () => new Array(50).fill({ type: 'peers request' })],
];

function subscribe(nodes: readonly SimNode[]): void {
  for (const { module } of nodes) {
    module.client.notify(FREE_TYPE);
    module.client.notify(DEAR_TYPE);
  }
}

describe('one hostile neighbour that floods at full speed', () => {
  it.each(FLOODS)(
    'attack 20: with %s does not keep an honest item from arriving within 5 s',
    async (_, flood) => {
      await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
        const nodes = await startLine(world, NAMES.slice(0, 3));
        subscribe(nodes);
        const [origin, victim, last] = nodes;
        if (victim === undefined) throw new Error('no node');
        const villain = await Villain.beside(world, 'heidi', victim);
        villain.flood(flood());
        await world.runFor(10_000);
        origin?.module.client.announce({ hops: 0, dataType: DEAR_TYPE, data: utf8('honest') });
        await world.until(() => last?.module.texts.includes('honest') === true, SOON_MS);
        villain.stop();
      });
    },
  );

  it('attack 20: keeps no more than it may', async () => {
    await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
      const [victim] = await startLine(world, ['alice', 'bob']);
      if (victim === undefined) throw new Error('no node');
      subscribe([victim]);
      const villain = await Villain.beside(world, 'heidi', victim);
      villain.flood(items(4));
      await world.runFor(30_000);
      const { items: kept, waiting } = victim.node.status;
      expect(kept).toBeLessThanOrEqual(250);
      expect(waiting).toBeLessThanOrEqual(36);
      expect(victim.module.received.length).toBeLessThanOrEqual(100 + 20 * 31);
      villain.stop();
    });
  });

  it('attack 20: is banned after three items that a module objects to', async () => {
    await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
      const [victim] = await startLine(world, ['alice', 'bob']);
      if (victim === undefined) throw new Error('no node');
      subscribe([victim]);
      victim.module.judgement = undefined;
      const villain = await Villain.beside(world, 'heidi', victim);
      villain.say(...[1, 2, 3].flatMap(items(4)));
      await world.until(() => victim.module.received.length === 3, SOON_MS);
      for (const { messageId } of victim.module.received) {
        victim.module.client.validate(messageId, 'refuse');
      }
      await world.until(() => villain.isClosed, SOON_MS);
      expect(villain.heard.at(-1)).toEqual({ type: 'bye', reason: 'banned' });
      await expect(Villain.beside(world, 'heidi', victim)).rejects.toThrow();
    });
  });

  it('attack 28: is banned for one message that cannot be right', async () => {
    for (const bytes of [Uint8Array.of(99), Uint8Array.of(2), Uint8Array.of(3, 1)]) {
      await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
        const [victim] = await startLine(world, ['alice', 'bob']);
        if (victim === undefined) throw new Error('no node');
        const villain = await Villain.beside(world, 'heidi', victim);
        villain.write([bytes]);
        await world.until(() => villain.isClosed, SOON_MS);
        expect(victim.neighbours).toBe(1);
      });
    }
  });

  it('is given up when it does not read', async () => {
    await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
      const nodes = await startLine(world, ['alice', 'bob']);
      subscribe(nodes);
      const [victim] = nodes;
      if (victim === undefined) throw new Error('no node');
      const villain = await Villain.beside(world, 'heidi', victim);
      villain.deafen();
      for (let i = 0; i < 40; i++) {
        const data = new Uint8Array(60_000).fill(i);
        victim.module.client.announce({ hops: 0, dataType: FREE_TYPE, data });
        await world.runFor(1000);
      }
      expect(victim.neighbours).toBe(1);
    });
  });
});

/** Of what a stranger may send before he has shown a key, in frames: WHO, INIT, and what is neither. */
const WHO = encodeFrame(new Uint8Array(33).with(0, 1));
const INIT = encodeFrame(new Uint8Array(97).fill(9, 1, 33).with(0, 3));
const FIN = encodeFrame(new Uint8Array(65).fill(9).with(0, 5));
const UNAUTHENTICATED: readonly (readonly [string, readonly Uint8Array[]])[] = [
  ['nothing', []],
  ['a question who we are', [WHO]],
  ['that question again and again', [WHO, WHO, WHO]],
  ['a handshake', [INIT]],
  ['both', [WHO, INIT]],
  ['a handshake twice', [INIT, INIT]],
  ['a handshake that ends wrongly', [INIT, FIN]],
  ['half a handshake', [INIT.subarray(0, 50)]],
  ['a long frame', [encodeFrame(new Uint8Array(60_000))]],
  ['noise', [new Uint8Array(3000).fill(7)]],
];

describe('strangers', () => {
  it.each(UNAUTHENTICATED)(
    'attack 12: that send %s get no more than they sent',
    async (_, sent) => {
      await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
        const [victim] = await startLine(world, ['alice', 'bob']);
        if (victim === undefined) throw new Error('no node');
        const stranger = world.host('stranger');
        const { network } = stranger.start();
        const bytes = { sent: 0, got: 0 };
        world.tap(({ what, packet }) => {
          if (what !== 'sent') return;
          if (packet.from.ip === stranger.ip) bytes.sent += packet.bytes.length;
          if (packet.to.ip === stranger.ip) bytes.got += packet.bytes.length;
        });
        const handlers = { onData: () => {}, onClose: () => {} };
        const to = { ip: victim.host.ip, port: PORT };
        const stream = await world.complete(network.dialTcp(to, { timeoutMs: 5000, handlers }));
        for (const part of sent) {
          stream.write(part);
          await world.runFor(100);
        }
        await world.runFor(10_000);
        expect(bytes.got).toBeLessThanOrEqual(bytes.sent);
      });
    },
  );

  it('attack 13: that open streams and say nothing are closed, and honest nodes come through', async () => {
    await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
      const [victim] = await startLine(world, ['alice', 'bob']);
      if (victim === undefined) throw new Error('no node');
      let closed = 0;
      const dialled = Array.from({ length: 100 }, (_, i) => {
        const { network } = world.host(`stranger ${i}`).start();
        const handlers = { onData: () => {}, onClose: () => void closed++ };
        const to = { ip: victim.host.ip, port: PORT };
        return network.dialTcp(to, { timeoutMs: 5000, handlers });
      });
      await world.complete(Promise.all(dialled));
      await world.runFor(100);
      expect(closed).toBe(36);
      await world.runFor(3000);
      expect(closed).toBe(100);
      const villain = await Villain.beside(world, 'heidi', victim);
      await world.until(() => victim.neighbours === 2, SOON_MS);
      villain.stop();
    });
  });

  it('attack 28: that send what is no handshake are not answered, and not listened to for ten minutes', async () => {
    await simulateGossip({ seed: 1, profile: FAR }, async (world) => {
      const [victim] = await startLine(world, ['alice', 'bob']);
      if (victim === undefined) throw new Error('no node');
      const { network } = world.host('stranger').start();
      const answers: number[] = [];
      const dial = async (): Promise<number> => {
        const fromMs = world.nowMs();
        let closedMs = Number.POSITIVE_INFINITY;
        const handlers = {
          onData: (bytes: Uint8Array) => void answers.push(bytes.length),
          onClose: () => {
            closedMs = world.nowMs() - fromMs;
          },
        };
        const to = { ip: victim.host.ip, port: PORT };
        const stream = await world.complete(network.dialTcp(to, { timeoutMs: 5000, handlers }));
        await world.runFor(200);
        stream.write(utf8('GET / HTTP/1.1\r\n\r\n'));
        await world.runFor(200);
        return closedMs;
      };
      expect(await dial()).toBeGreaterThan(200);
      expect(await dial()).toBeLessThan(200);
      await world.runFor(600_000);
      expect(await dial()).toBeGreaterThan(200);
      expect(answers).toEqual([]);
    });
  });
});
