// The module as people run it: 16 processes on loopback, over their APIs, with real keys, links and proofs of work.

import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../crypto/index.ts';
import { manyHostkeys } from '../identity/testing/many-keys.ts';
import { type Address, realRuntime, SeededRng } from '../runtime/index.ts';
import { freeAddress } from '../runtime/testing/free-address.ts';
import { DhtProcess, RpsForAll } from './testing/processes.ts';

const COUNT = 16;
const rng = new SeededRng(1);

let folder = '';
let rps: RpsForAll;
let nodes: readonly DhtProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-dht-'));
  rps = new RpsForAll(await freeAddress());
  await rps.listen();
  const hostkeys = manyHostkeys(COUNT);
  nodes = await Promise.all(
    hostkeys.map((hostkey, i) =>
      DhtProcess.prepare(hostkey, { folder, name: `node${i}`, rps: rps.address }),
    ),
  );
  rps.nodes.push(...nodes);
  await Promise.all(nodes.map((node) => node.start()));
  // Each finds the proof of work of its identity first: a minute of two cores.
}, 400_000);

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.kill('SIGKILL')));
  await rps.stop();
  await rm(folder, { recursive: true, force: true });
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void realRuntime.timers.after(ms, resolve));
}

function at(i: number): DhtProcess {
  const node = nodes[i];
  if (node === undefined) throw new RangeError(`node ${i}`);
  return node;
}

function random(bytes: number): Uint8Array {
  return rng.fill(new Uint8Array(bytes));
}

/** Asks until it is there: a PUT is not answered. */
async function eventually(node: DhtProcess, key: Uint8Array): Promise<Uint8Array | undefined> {
  for (let i = 0; i < 40; i++) {
    const value = await node.get(key);
    if (value !== undefined) return value;
    await pause(500);
  }
  return undefined;
}

/** What a connection that sends this is answered with until it is closed. */
function closedAfter({ ip, port }: Address, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve) => {
    let received = 0;
    const socket = connect(port, ip, () => void socket.write(bytes));
    socket.on('data', ({ length }) => {
      received += length;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
  });
}

describe('16 DHT modules', () => {
  const sizes = [1, 1024, 60 * 1024];
  const contents = sizes.map((bytes) => random(bytes));
  const opaque = sizes.map((bytes) => ({ key: random(32), value: random(bytes) }));
  const all = [...contents.map((value) => ({ key: sha256(value), value })), ...opaque];

  it('bring values of 1 B, 1 KiB and 60 KiB from one to another', async () => {
    for (const { key, value } of all) await at(0).put({ key, value, ttlS: 600, replication: 0 });
    for (const [i, { key, value }] of all.entries()) {
      expect(await eventually(at(5 + i), key)).toEqual(value);
    }
  });

  it('find a hostkey by its identity', async () => {
    const { identity, publicKey } = at(3).hostkey;
    expect(await eventually(at(9), identity)).toEqual(publicKey);
  });

  it('answer FAILURE for what nobody has put', async () => {
    expect(await at(1).get(random(32))).toBeUndefined();
  });

  it('forget a value with a TTL of 10 s', async () => {
    const [key, value] = [random(32), random(10)];
    await at(2).put({ key, value, ttlS: 10, replication: 8 });
    expect(await eventually(at(7), key)).toEqual(value);
    await pause(15_000);
    expect(await Promise.all(nodes.map((node) => node.get(key)))).toEqual(
      nodes.map(() => undefined),
    );
  });

  it.each([
    ['an empty value', Uint8Array.of(0, 40, 0x02, 0x8a, 0, 60, 1, 0, ...new Uint8Array(32))],
    ['a short key', Uint8Array.of(0, 35, 0x02, 0x8b, ...new Uint8Array(31))],
  ])('close the connection of a client that sends %s, and only that', async (_, bytes) => {
    expect(await closedAfter(at(1).api, bytes)).toBe(0);
    const [{ key, value } = { key: random(32), value: random(1) }] = all;
    expect(await at(1).get(key)).toEqual(value);
  });

  it('still find everything when 8 of them are killed, and keep it over a restart', async () => {
    // The one that put them is among the dead.
    await Promise.all(nodes.slice(0, 8).map((node) => node.kill('SIGKILL')));
    for (const { key, value } of all) expect(await eventually(at(12), key)).toEqual(value);
    const codes = await Promise.all(nodes.slice(8).map((node) => node.kill('SIGTERM')));
    expect(codes).toEqual(codes.map(() => 0));
    await Promise.all(nodes.slice(8).map((node) => node.start()));
    for (const { key, value } of all) expect(await eventually(at(15), key)).toEqual(value);
  });

  it('are of use alone', async () => {
    const [hostkey] = manyHostkeys(1);
    if (hostkey === undefined) throw new Error('a hostkey');
    const lone = await DhtProcess.prepare(hostkey, { folder, name: 'lone' });
    const [key, value] = [random(32), random(50_000)];
    try {
      await lone.start();
      await lone.put({ key, value, ttlS: 600, replication: 8 });
      expect(await lone.get(key)).toEqual(value);
      expect(await lone.get(random(32))).toBeUndefined();
    } finally {
      await lone.kill('SIGKILL');
    }
  });

  it('tell no key, identity or address in their logs', () => {
    for (const { output } of nodes) expect(output).not.toMatch(/[0-9a-f]{16}|127\.0\.0\.1/);
  });
});
