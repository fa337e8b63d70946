// The module between two APIs: that of a Gossip module, played by the test, and its own.

import { describe, expect, it } from 'vitest';
import { compareBytes } from '../bytes/index.ts';
import { createLogger } from '../log/index.ts';
import { findLeaks, type MemorySink, memorySink } from '../log/testing/index.ts';
import {
  ApiServer,
  type Connection,
  connectApi,
  GOSSIP_API,
  GossipFlood,
  type Message,
  type MessageOf,
  NSE_API,
} from '../module-api/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { type Host, simulate, type World } from '../sim/index.ts';
import { NseApi } from './api-driver.ts';
import { distanceOf } from './distance.ts';
import { NseNode, type NseNodeOptions } from './driver.ts';
import type { Signer } from './nse.ts';
import { fakeHostkey, verifyFake } from './testing/hostkeys.ts';
import { floodMessage, networkId, periodS } from './testing/messages.ts';
import { decodeFloodMessage } from './wire.ts';

const PERIOD_MS = periodS * 1000;
const GOSSIP_PORT = 7001;
const NSE_PORT = 7201;
const DATA_TYPE = 5200;

const own = fakeHostkey(new SeededRng(1));
const others = Array.from({ length: 40 }, (_, i) => fakeHostkey(new SeededRng(100 + i)));

class Playground {
  readonly sink: MemorySink = memorySink();
  /** What NSE has told the Gossip module. */
  readonly told: Message[] = [];
  readonly gossip: Host;
  readonly module: Host;
  readonly #world: World;
  #client: Connection<'gossip notification'> | undefined;

  constructor(world: World) {
    this.#world = world;
    this.gossip = world.host('gossip');
    this.module = world.host('module');
  }

  startGossip(): void {
    this.gossip.start(async ({ runtime }) => {
      const server = new ApiServer({
        api: GOSSIP_API,
        address: { ip: this.gossip.ip, port: GOSSIP_PORT },
        runtime,
        log: this.#log(),
        handler: {
          onConnect: (connection) => {
            this.#client = connection;
          },
          onMessage: (_, message) => void this.told.push(message),
        },
      });
      await server.listen();
      return server;
    });
  }

  startModule(solve: NseNodeOptions['solve'] = async () => new Uint8Array(8)): void {
    this.module.start(async ({ runtime }) => {
      const address = { ip: this.gossip.ip, port: GOSSIP_PORT };
      const flood = new GossipFlood({ runtime, address, log: this.#log() });
      const node = new NseNode({
        runtime,
        networkId,
        periodS,
        history: 64,
        signer: own,
        flood,
        connectedPeers: () => 0,
        verifySigned: verifyFake,
        verifyPow: () => true,
        solve,
      });
      const api = new NseApi({
        runtime,
        address: { ip: this.module.ip, port: NSE_PORT },
        log: this.#log(),
        estimate: () => node.estimate(),
      });
      await api.listen();
      return {
        stop: async () => {
          node.stop();
          await Promise.all([api.stop(), flood.stop()]);
        },
      };
    });
  }

  notify(messageId: number, data: Uint8Array, dataType = DATA_TYPE): void {
    this.#client?.send({ type: 'gossip notification', messageId, dataType, data });
  }

  /** A client of the module's API, and the answers it gets. */
  async ask() {
    const estimates: MessageOf<'nse estimate'>[] = [];
    const asker = this.#world.host(`asker ${this.#world.hosts.size}`);
    const connection = await this.#world.complete(
      connectApi({
        api: NSE_API,
        address: { ip: this.module.ip, port: NSE_PORT },
        runtime: asker.start(() => undefined),
        log: this.#log(),
        handler: { onMessage: (_, message) => void estimates.push(message) },
      }),
    );
    return { connection, estimates };
  }

  get round(): number {
    return Math.floor(this.module.wallMs() / PERIOD_MS);
  }

  #log() {
    return createLogger({ sink: this.sink, clock: this.#world.time, level: 'debug' });
  }
}

describe('the module between the APIs', () => {
  it('subscribes, announces itself, and validates what others announce', async () => {
    await simulate({ seed: [1, 2] }, async (world) => {
      const play = new Playground(world);
      play.startGossip();
      play.startModule();
      await world.until(() => play.told.length > 0);
      expect(play.told).toEqual([{ type: 'gossip notify', dataType: DATA_TYPE }]);
      await world.until(() => play.told.length > 1, 2 * PERIOD_MS);
      const [, announced] = play.told;
      expect(announced).toMatchObject({ type: 'gossip announce', ttl: 0, dataType: DATA_TYPE });
      if (announced?.type !== 'gossip announce') throw new Error('nothing was announced');
      expect(decodeFloodMessage(announced.data).publicKey).toEqual(own.publicKey);

      const { round } = play;
      play.told.length = 0;
      play.notify(1, new Uint8Array(1086));
      play.notify(2, new Uint8Array(0));
      play.notify(3, floodMessage(own, round + 5));
      play.notify(4, new Uint8Array(9), DATA_TYPE + 1);
      play.notify(5, announced.data);
      await world.runFor(10_000);
      expect(play.told).toEqual([
        { type: 'gossip validation', messageId: 1, wellFormed: false },
        { type: 'gossip validation', messageId: 2, wellFormed: false },
        { type: 'gossip validation', messageId: 5, wellFormed: true },
      ]);
    });
  });

  it('subscribes again when Gossip was away, and answers only what the new one asks', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const play = new Playground(world);
      play.startModule();
      await world.runFor(10_000);
      play.startGossip();
      await world.until(() => play.told.length > 0);
      // Each nearer than the one before, so that some have to wait for their proof of work to be looked at.
      const { round } = play;
      const distance = (other: Signer): Uint8Array => distanceOf(networkId, round, other.identity);
      const nearer = others.toSorted((x, y) => compareBytes(distance(y), distance(x))).slice(-10);
      nearer.forEach((other, i) => {
        play.notify(i, floodMessage(other, round));
      });
      await world.runFor(1);
      expect(play.told.slice(1)).toHaveLength(5);
      await world.complete(play.gossip.stop());
      play.told.length = 0;
      play.startGossip();
      await world.until(() => play.told.length > 0, 500);
      await world.runFor(1000);
      expect(play.told).toEqual([{ type: 'gossip notify', dataType: DATA_TYPE }]);
    });
  });

  it('gives one estimate for each query, from the first moment on and without Gossip', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const play = new Playground(world);
      play.startModule(() => new Promise(() => {}));
      await world.runFor(1);
      const { connection, estimates } = await play.ask();
      for (let i = 0; i < 3; i++) connection.send({ type: 'nse query' });
      await world.runFor(1000);
      expect(estimates).toEqual(Array(3).fill({ type: 'nse estimate', peers: 1, deviation: 0 }));
      await world.runFor(5 * PERIOD_MS);
      expect(estimates).toHaveLength(3);
    });
  });

  it('answers every client with what it has learned', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const play = new Playground(world);
      play.startGossip();
      play.startModule();
      for (let period = 0; period < 20; period++) {
        await world.runFor(100_000);
        others.forEach((other, i) => {
          play.notify(i, floodMessage(other, play.round));
        });
        await world.runFor(200_000);
      }
      const clients = [await play.ask(), await play.ask()];
      for (const { connection } of clients) connection.send({ type: 'nse query' });
      await world.runFor(1000);
      for (const { estimates } of clients) {
        expect(estimates).toHaveLength(1);
        expect(estimates[0]?.peers).toBeGreaterThan(20);
        expect(estimates[0]?.peers).toBeLessThan(80);
        expect(estimates[0]?.deviation).toBeGreaterThan(0);
      }
      expect(findLeaks(play.sink.lines)).toEqual([]);
    });
  });

  it('stops in the middle of finding its proof of work', async () => {
    await simulate({ seed: 1 }, async (world) => {
      const play = new Playground(world);
      play.startModule((_task, signal) => {
        const { promise, reject } = Promise.withResolvers<Uint8Array>();
        signal.addEventListener('abort', () => reject(signal.reason));
        return promise;
      });
      await world.runFor(1000);
      await world.complete(play.module.stop());
      expect(play.module.up).toBe(false);
    });
  });
});
