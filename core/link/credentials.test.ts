import { describe, expect, it } from 'vitest';
import { chooseProvider, type PowTask } from '../crypto/index.ts';
import { openDescriptor, POW_EPOCH_S } from '../identity/index.ts';
import { testHostkey } from '../identity/testing/keys.ts';
import { SeededRng } from '../runtime/index.ts';
import { VirtualTime } from '../sim/index.ts';
import { NodeCredentials } from './credentials.ts';
import { NETWORK_ID, WALL_MS } from './testing/nodes.ts';

const DAY_MS = 24 * 3600 * 1000;

async function started(time: VirtualTime, tasks: PowTask[] = []): Promise<NodeCredentials> {
  return NodeCredentials.start({
    runtime: { clock: time, timers: time, rng: new SeededRng(1) },
    provider: chooseProvider(),
    networkId: NETWORK_ID,
    hostkey: testHostkey('alice'),
    flags: { relay: false, dht: false, mailbox: false, streamOnly: true },
    addresses: [{ transport: 'tcp', ip: '20.1.2.3', port: 6001 }],
    ports: { dht: 0, gossip: 6001, nse: 0, onion: 0 },
    solve: async (task) => {
      tasks.push(task);
      return new Uint8Array(8).fill(tasks.length);
    },
  });
}

describe('credentials of a node', () => {
  it('are a descriptor that others accept, and the key that is in it', async () => {
    const credentials = await started(new VirtualTime(WALL_MS));
    const { certificate, staticKey } = credentials.self;
    const rules = { networkId: NETWORK_ID, wallMs: WALL_MS, allowPrivate: false };
    const opened = openDescriptor(certificate, rules);
    expect(opened).toEqual(credentials.descriptor);
    expect(opened.linkDh).toEqual(staticKey.publicKey);
    expect(opened.addresses).toHaveLength(1);
    expect(opened.powNonce).toEqual(new Uint8Array(8).fill(1));
  });

  it('are made anew every day, with a new proof only in a new month', async () => {
    const time = new VirtualTime(WALL_MS);
    const tasks: PowTask[] = [];
    const credentials = await started(time, tasks);
    const first = credentials.self;
    await time.runFor(DAY_MS);
    expect(credentials.self.staticKey).not.toEqual(first.staticKey);
    expect(tasks).toHaveLength(1);
    await time.runFor(POW_EPOCH_S * 1000);
    expect(tasks).toHaveLength(2);
    expect(tasks[1]?.challenge).not.toEqual(tasks[0]?.challenge);
    credentials.stop();
    expect(time.pending).toBe(0);
  });
});
