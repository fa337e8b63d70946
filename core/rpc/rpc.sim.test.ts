// Whole nodes of Rpc in simulated worlds: questions and answers through links that lose packets, fall silent or cannot be
// had. The limits of one machine are in exchange.test.ts.

import { describe, expect, it } from 'vitest';
import { LinkNode } from '../link/testing/link-node.ts';
import { testNode } from '../link/testing/nodes.ts';
import type { PathProfile } from '../sim/index.ts';
import { type Outcome, REQUEST_BYTES_MAX } from './rpc.ts';
import { ask, PORT, SERVICE_NUMBER, simulateRpc, startRpc } from './testing/sim-rpc.ts';

const FAR: PathProfile = { latency: { type: 'constant', ms: 40 } };

describe('a question', () => {
  it('is answered by the node it was put to, which knows who asks', async () => {
    await simulateRpc({ seed: 1, profile: FAR }, async (world) => {
      const [a, b] = [await startRpc(world, 'alice'), await startRpc(world, 'bob')];
      const asked: Uint8Array[] = [];
      b.rpc.serve(9, (from, bytes, answer) => {
        asked.push(from.identity);
        answer(Uint8Array.of(...bytes, 3));
      });
      const outcome = await ask(world, a, b.target, Uint8Array.of(1, 2), 9);
      expect(outcome).toMatchObject({ type: 'answer', bytes: Uint8Array.of(1, 2, 3) });
      expect(outcome.type === 'answer' && outcome.from).toMatchObject({
        identity: b.target.identity,
        address: b.target.address,
      });
      expect(asked).toEqual([a.target.identity]);
      expect(a.rpc.peerOf(b.target.identity)?.descriptor.identity).toEqual(b.target.identity);
    });
  });

  it('and its answer may have 16 KiB', async () => {
    await simulateRpc({ seed: 1, profile: FAR }, async (world) => {
      const [a, b] = [await startRpc(world, 'alice'), await startRpc(world, 'bob')];
      const request = Uint8Array.from({ length: REQUEST_BYTES_MAX }, (_, i) => i % 251);
      const outcome = await ask(world, a, b.target, request);
      expect(outcome).toMatchObject({ type: 'answer', bytes: request.toReversed() });
    });
  });

  it('gets its answer of 8 KiB through 5 % loss, and is handled once', async () => {
    const profile: PathProfile = { ...FAR, loss: 0.05, order: 'free' };
    await simulateRpc({ seed: [1, 2, 3], profile }, async (world) => {
      const [a, b] = [await startRpc(world, 'alice'), await startRpc(world, 'bob')];
      const answer = new Uint8Array(8192).fill(7);
      let handled = 0;
      b.rpc.serve(9, (_from, _bytes, give) => {
        handled++;
        give(answer);
      });
      const outcomes: Outcome[] = [];
      for (let i = 0; i < 20; i++)
        outcomes.push(await ask(world, a, b.target, Uint8Array.of(i), 9));
      const right = outcomes.filter((one) => one.type === 'answer');
      expect(right.length).toBeGreaterThanOrEqual(16);
      for (const { bytes } of right) expect(bytes).toEqual(answer);
      expect(handled).toBeLessThanOrEqual(20);
    });
  });

  it('goes over a stream where UDP does not pass', async () => {
    await simulateRpc({ seed: 1, profile: FAR }, async (world) => {
      const [a, b] = [await startRpc(world, 'alice'), await startRpc(world, 'bob')];
      world.block({ from: a.host, to: b.host, protocol: 'udp' });
      const request = new Uint8Array(5000);
      expect(await ask(world, a, b.target, request)).toMatchObject({ type: 'answer' });
      expect(a.rpc.status.links.links[0]).toMatchObject({ transport: 'tcp' });
    });
  });

  it('uses the link there is, and one at a time', async () => {
    await simulateRpc({ seed: 1, profile: FAR }, async (world) => {
      const [a, b] = [await startRpc(world, 'alice'), await startRpc(world, 'bob')];
      const outcomes: Outcome[] = [];
      for (let i = 0; i < 20; i++) {
        const question = { service: SERVICE_NUMBER, request: Uint8Array.of(i) };
        a.rpc.call(b.target, question, (outcome) => outcomes.push(outcome));
      }
      await world.until(() => outcomes.length === 20);
      expect(outcomes.every(({ type }) => type === 'answer')).toBe(true);
      expect(await ask(world, b, a.target, Uint8Array.of(1))).toMatchObject({ type: 'answer' });
      expect(a.rpc.status.links.links).toHaveLength(1);
      expect(b.rpc.status.links.links).toHaveLength(1);
    });
  });

  it('keeps its link open, which is closed a minute after the last', async () => {
    await simulateRpc({ seed: 1 }, async (world) => {
      const [a, b] = [await startRpc(world, 'alice'), await startRpc(world, 'bob')];
      for (let i = 0; i < 5; i++) {
        await ask(world, a, b.target, Uint8Array.of(i));
        await world.runFor(40_000);
      }
      expect(a.rpc.status.links.links[0]?.ageMs).toBeGreaterThan(190_000);
      await world.runFor(25_000);
      expect(a.rpc.status.links.links).toEqual([]);
      expect(a.rpc.peerOf(b.target.identity)).toBeUndefined();
    });
  });
});

describe('a question fails', () => {
  it('when nobody is there, within 3 s', async () => {
    await simulateRpc({ seed: 1 }, async (world) => {
      const a = await startRpc(world, 'alice');
      const { target } = await startRpc(world, 'bob');
      const nowhere = { ...target, address: { ip: '99.9.9.9', port: PORT } };
      const startMs = world.nowMs();
      expect(await ask(world, a, nowhere, Uint8Array.of(1))).toEqual({
        type: 'failed',
        why: 'unreachable',
      });
      expect(world.nowMs() - startMs).toBeLessThan(3100);
    });
  });

  it('when somebody else is there', async () => {
    await simulateRpc({ seed: 1 }, async (world) => {
      const [a, b] = [await startRpc(world, 'alice'), await startRpc(world, 'bob')];
      const { target } = await startRpc(world, 'carol');
      const wrong = { ...target, address: b.target.address };
      expect(await ask(world, a, wrong, Uint8Array.of(1))).toMatchObject({ why: 'unreachable' });
    });
  });

  it('when there is no such service, or no answer', async () => {
    await simulateRpc({ seed: 1 }, async (world) => {
      const [a, b] = [await startRpc(world, 'alice'), await startRpc(world, 'bob')];
      b.rpc.serve(9, () => {});
      const nothing = await ask(world, a, b.target, Uint8Array.of(1), 8);
      expect(nothing).toEqual({ type: 'failed', why: 'no service' });
      const silence = await ask(world, a, b.target, Uint8Array.of(1), 9);
      expect(silence).toEqual({ type: 'failed', why: 'timeout' });
    });
  });

  it('for who asks more than 20 a second, and for nobody else', async () => {
    await simulateRpc({ seed: 1 }, async (world) => {
      const [a, b] = [await startRpc(world, 'alice'), await startRpc(world, 'bob')];
      const c = await startRpc(world, 'carol');
      const outcomes: Outcome[] = [];
      for (let i = 0; i < 300; i++) {
        const question = { service: SERVICE_NUMBER, request: Uint8Array.of(1) };
        a.rpc.call(b.target, question, (outcome) => outcomes.push(outcome));
      }
      expect(await ask(world, c, b.target, Uint8Array.of(1))).toMatchObject({ type: 'answer' });
      await world.until(() => outcomes.length === 300);
      const busy = outcomes.filter((one) => one.type === 'failed' && one.why === 'busy');
      expect(busy.length).toBeGreaterThan(200);
      await world.runFor(3000);
      expect(await ask(world, a, b.target, Uint8Array.of(1))).toMatchObject({ type: 'answer' });
    });
  });

  it('on the link of a life before once, and not again', async () => {
    await simulateRpc({ seed: 1 }, async (world) => {
      const [a, b] = [await startRpc(world, 'alice'), await startRpc(world, 'bob')];
      await ask(world, a, b.target, Uint8Array.of(1));
      await world.runFor(5000);
      b.host.crash();
      await startRpc(world, 'bob', { host: b.host });
      const first = await ask(world, a, b.target, Uint8Array.of(2));
      expect(first).toEqual({ type: 'failed', why: 'timeout' });
      expect(await ask(world, a, b.target, Uint8Array.of(3))).toMatchObject({ type: 'answer' });
    });
  });
});

describe('a link for questions', () => {
  it('cannot be had by who wants one for tunnels (attack 18)', async () => {
    await simulateRpc({ seed: 1 }, async (world) => {
      const b = await startRpc(world, 'bob');
      const host = world.host('onion');
      const listen = { udp: { ip: host.ip, port: PORT } };
      const onion = new LinkNode({ runtime: host.start(), node: testNode('erin', 5), listen });
      await world.until(() => onion.event('listening') !== undefined);
      onion.open(b.target, { ip: b.host.ip, port: PORT });
      await world.until(() => onion.event('failed') !== undefined);
      expect([onion.ups.length, b.rpc.status.links.links.length]).toEqual([0, 0]);
    });
  });

  it('may be closed by any side without a question being lost', async () => {
    await simulateRpc({ seed: 1, profile: FAR }, async (world) => {
      const [a, b] = [await startRpc(world, 'alice'), await startRpc(world, 'bob')];
      await ask(world, a, b.target, Uint8Array.of(1));
      void b.rpc.stop();
      b.host.crash();
      await startRpc(world, 'bob', { host: b.host });
      expect(await ask(world, a, b.target, Uint8Array.of(2))).toMatchObject({ type: 'answer' });
    });
  });
});

describe('a question put anew', () => {
  it('comes over a stream of its own, though there is a link', async () => {
    await simulateRpc({ seed: 1, profile: FAR }, async (world) => {
      const [a, b] = [await startRpc(world, 'alice'), await startRpc(world, 'bob')];
      await ask(world, b, a.target, Uint8Array.of(1));
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      const question = { service: SERVICE_NUMBER, request: Uint8Array.of(1, 2) };
      a.rpc.callAnew(b.target, question, resolve);
      const outcome = await world.complete(promise);
      expect(outcome).toMatchObject({ type: 'answer', bytes: Uint8Array.of(2, 1) });
    });
  });

  it('does not reach a node behind a translator, which reaches others', async () => {
    await simulateRpc({ seed: 1, profile: FAR }, async (world) => {
      const nat = world.nat();
      const a = await startRpc(world, 'alice', { host: world.host('hidden', { nat }) });
      const b = await startRpc(world, 'bob');
      const seen: { ip: string; port: number }[] = [];
      b.rpc.serve(9, (from, _, answer) => {
        seen.push(from.address);
        answer(new Uint8Array());
      });
      expect(await ask(world, a, b.target, Uint8Array.of(1), 9)).toMatchObject({ type: 'answer' });
      const [address] = seen;
      expect(address?.ip).toBe(nat.ip);
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      const question = { service: SERVICE_NUMBER, request: Uint8Array.of(1) };
      b.rpc.callAnew({ ...a.target, address: { ip: nat.ip, port: PORT } }, question, resolve);
      expect(await world.complete(promise)).toEqual({ type: 'failed', why: 'unreachable' });
    });
  });
});
