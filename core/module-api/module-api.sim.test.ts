import { describe, expect, it } from 'vitest';
import { createLogger } from '../log/index.ts';
import { findLeaks, memorySink } from '../log/testing/index.ts';
import { simulate } from '../sim/index.ts';
import { DHT_API } from './dht.ts';
import { PersistentClient } from './persistent-client.ts';
import { ApiServer } from './server.ts';

const PORT = 7401;
const GETS = 5;

describe('two modules in a simulated world', () => {
  it('understand each other a byte at a time, and after one of them was restarted', async () => {
    await simulate({ seed: [1, 2] }, async (world) => {
      const module = world.host('module', { segmentBytes: 1 });
      const asker = world.host('asker', { segmentBytes: 1 });
      const sink = memorySink();
      const log = createLogger({ sink, clock: world.time, level: 'debug' });
      const found: number[] = [];

      module.start(async ({ runtime }) => {
        const server = new ApiServer({
          api: DHT_API,
          address: { ip: module.ip, port: PORT },
          runtime,
          log: log.child('dht'),
          handler: {
            onMessage(connection, { key }) {
              connection.send({ type: 'dht success', key, value: new Uint8Array(100) });
            },
          },
        });
        await server.listen();
        return server;
      });
      asker.start(({ runtime }) => {
        const client = new PersistentClient({
          api: DHT_API,
          address: { ip: module.ip, port: PORT },
          runtime,
          log: log.child('dht'),
          handler: {
            onConnect(connection) {
              for (let i = 0; i < GETS; i++) {
                connection.send({ type: 'dht get', key: new Uint8Array(32).fill(i) });
              }
            },
            onMessage: (_, { key: [first = -1] }) => void found.push(first),
          },
        });
        client.start();
        return client;
      });

      await world.until(() => found.length === GETS);
      await world.complete(module.stop());
      await world.runFor(3000);
      module.start();
      await world.until(() => found.length === 2 * GETS);
      const numbers = Array.from({ length: GETS }, (_, i) => i);
      expect(found).toEqual([...numbers, ...numbers]);
      await world.complete(asker.stop());
      expect(findLeaks(sink.lines)).toEqual([]);
      expect(sink.records.map(({ message }) => message)).toEqual([
        'other machines can reach this API, without a password',
        'the module is away; trying again until it is back',
        'other machines can reach this API, without a password',
        'the module is back',
      ]);
    });
  });
});
