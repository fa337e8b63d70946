// The Onion module as people run it: six processes on loopback, their RPS modules played by the test, so that it knows
// which relays a tunnel runs over. The tests are steps of one story. Most of its time are the two million bytes, at a
// tunnel's rate; before, each process works some seconds for the proof of its identity.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testHostkey } from '../identity/testing/keys.ts';
import { DATAGRAM_BYTES } from '../link/index.ts';
import { findLeaks } from '../log/testing/index.ts';
import { realRuntime } from '../runtime/index.ts';
import { INNER_DATA_MAX } from './geometry.ts';
import { type Peer, toPeer } from './peer.ts';
import { OnionClient } from './testing/api-client.ts';
import { freeAddress, OnionProcess } from './testing/processes.ts';
import { heard, longestGap, type Speaker, Talk } from './testing/talk.ts';
import { UdpTap } from './testing/udp-tap.ts';
import { ROUND_SECONDS_MIN, TICK_MS } from './timing.ts';

const ROUND_SECONDS = 2 * ROUND_SECONDS_MIN;
const SECOND = 1000 / TICK_MS;
const MEGABYTE = Math.ceil(1e6 / INNER_DATA_MAX);
/** Loopback loses a little when the machine is busy; a switch that does not work loses far more. */
const LOSS_MAX = 0.1;
/** What the program logs when another tunnel is in use. */
const STANDS = 'a tunnel stands';
const START_MS = 180_000;
const STEP_MS = 120_000;
/** The program promises to end so soon. */
const STOP_MS = 2000;

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'] as const;
type Name = (typeof NAMES)[number];

let folder = '';
let nodes: Readonly<Record<Name, OnionProcess>>;
/** In front of everybody whom alice calls, and everybody as she knows them. */
let taps: Readonly<Record<Name, UdpTap>>;
let tapped: Readonly<Record<Name, Peer>>;
/** Of the tunnel from alice to dave, who has two clients. */
let call: Readonly<Record<'caller' | 'callee' | 'other', Speaker>>;
let talk: Talk | undefined;

async function byName<T>(of: (name: Name) => Promise<T>): Promise<Readonly<Record<Name, T>>> {
  const entries = NAMES.map(async (name) => [name, await of(name)] as const);
  return Object.fromEntries(await Promise.all(entries)) as Record<Name, T>;
}

/** From now on this is whom RPS knows. Alice is on no path but her own. */
function letKnow(to: Name, others: readonly Name[]): void {
  nodes[to].rps.peers = others
    .filter((name) => name !== to)
    .map((name) => (to === 'alice' ? tapped[name] : nodes[name].peer));
}

function roundNow(): number {
  return Math.floor(realRuntime.clock.wallMs() / 1000 / ROUND_SECONDS);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-onion-'));
  nodes = await byName((name) => OnionProcess.start(name, folder, ROUND_SECONDS));
  taps = await byName(async (name) => new UdpTap(nodes[name].peer.address));
  tapped = await byName(async (name) => ({
    ...nodes[name].peer,
    address: await taps[name].address(),
  }));
  await byName((name) => nodes[name].running());
  for (const name of NAMES) letKnow(name, NAMES);
  // So these are on the path to dave.
  letKnow('alice', ['bob', 'carol', 'dave']);
}, START_MS);

afterAll(async () => {
  talk?.stop();
  await byName(async (name) => {
    await nodes[name].kill('SIGKILL');
    await nodes[name].rps.stop();
    await taps[name].close();
  });
  await rm(folder, { recursive: true });
}, START_MS);

describe('six Onion modules', () => {
  it('have tunnels before anybody asks for one', async () => {
    await byName((name) => nodes[name].said(STANDS));
  });

  it('give the echo of COVER to the connection that asked', async () => {
    const asking = await OnionClient.connect(nodes.alice.api);
    const silent = await OnionClient.connect(nodes.alice.api);
    // Some of them may get lost.
    for (let i = 0; i < 5; i++) asking.cover(300);
    const { tunnelId, data } = await asking.got('onion tunnel data');
    expect([tunnelId, data.length]).toEqual([0, 300]);
    expect(silent.received.entries).toEqual([]);
    for (const client of [asking, silent]) client.end();
  });
});

describe.concurrent('all at once they', { timeout: STEP_MS }, () => {
  it('carry a megabyte each way over three switches that nobody notices', async ({ expect }) => {
    const calling = await OnionClient.connect(nodes.alice.api);
    const called = await OnionClient.connect(nodes.dave.api);
    const calledToo = await OnionClient.connect(nodes.dave.api);
    calling.build(nodes.dave.peer);
    const ready = await calling.got('onion tunnel ready');
    expect(ready.hostkey).toEqual(nodes.dave.peer.publicKey);
    const { tunnelId: tunnel } = await called.got('onion tunnel incoming');
    expect((await calledToo.got('onion tunnel incoming')).tunnelId).toBe(tunnel);
    calling.cover(300);
    await calling.refused('onion cover');

    const { length } = nodes.alice.lines.entries;
    const caller = { client: calling, tunnel: ready.tunnelId };
    const callee = { client: called, tunnel };
    const other = { client: calledToo, tunnel };
    call = { caller, callee, other };
    talk = new Talk(caller, callee);
    await Promise.all([talk.heardBy(callee, MEGABYTE), talk.heardBy(caller, MEGABYTE)]);
    const since = nodes.alice.lines.entries.slice(length);
    expect(since.filter((line) => line.includes(STANDS)).length).toBeGreaterThanOrEqual(3);
    for (const speaker of [caller, callee]) {
      const numbers = heard(speaker);
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(numbers.length).toBeGreaterThan((1 - LOSS_MAX) * MEGABYTE);
      expect(longestGap(numbers, MEGABYTE)).toBeLessThan(SECOND);
    }
    const [copy, copied] = [heard(other), heard(callee)];
    expect(copy.slice(0, MEGABYTE / 2)).toEqual(copied.slice(0, MEGABYTE / 2));
  });

  it('refuse a tunnel to who cannot be reached, at the end of the next round', async ({
    expect,
  }) => {
    const client = await OnionClient.connect(nodes.frank.api);
    const asked = roundNow();
    client.build(toPeer(testHostkey('grace').publicKey, await freeAddress()));
    expect((await client.refused('onion tunnel build')).tunnelId).toBe(0);
    expect(roundNow()).toBeGreaterThanOrEqual(asked + 2);
    expect(client.received.entries).toHaveLength(1);
    client.end();
  });

  it('go on without RPS, and say so once', async ({ expect }) => {
    const { erin, bob } = nodes;
    const { length } = erin.lines.entries;
    await erin.rps.stop();
    await erin.said('the module is away', length);
    await bob.said(STANDS, await bob.said(STANDS, bob.lines.entries.length));
    const said = erin.lines.entries.slice(length);
    expect(said.filter((line) => /away|peers/.test(line))).toHaveLength(1);
    await erin.rps.start();
    await erin.said(STANDS, await erin.said('the module is back', length));
  });
});

describe('then they', () => {
  it('give data to those who have not destroyed the tunnel', async () => {
    const { callee, other } = call;
    other.client.destroy(other.tunnel);
    other.client.send(other.tunnel, new Uint8Array(1));
    await other.client.refused('onion tunnel data');
    const { length } = heard(other);
    await talk?.heardBy(callee, SECOND);
    expect(heard(other)).toHaveLength(length);
  });

  it.each([
    ['bob', ['carol', 'erin', 'dave']],
    ['carol', ['erin', 'frank', 'dave']],
  ] as const)(
    'go on when %s, on the path, is killed',
    { timeout: STEP_MS },
    async (relay, left) => {
      const { caller, callee } = call;
      const killedAt = talk?.said ?? 0;
      await nodes[relay].kill('SIGKILL');
      for (const name of NAMES) letKnow(name, left);
      await Promise.all([talk?.heardBy(callee, SECOND), talk?.heardBy(caller, SECOND)]);
      for (const speaker of [caller, callee]) {
        const numbers = heard(speaker);
        // It was on the path.
        expect(longestGap(numbers, Math.max(...numbers), killedAt)).toBeGreaterThan(SECOND);
        expect(new Set(numbers).size).toBe(numbers.length);
      }
    },
  );

  it('tell the callee that the caller has ended the tunnel, which was one all the time', async () => {
    const { caller, callee } = call;
    talk?.stop();
    caller.client.destroy(caller.tunnel);
    expect((await callee.client.refused('onion tunnel data')).tunnelId).toBe(callee.tunnel);
    const { entries } = callee.client.received;
    expect(entries.filter(({ type }) => type === 'onion tunnel incoming')).toHaveLength(1);
  });

  it('have sent datagrams of one size', () => {
    const sizes = NAMES.flatMap((name) => [...taps[name].sizes.keys()]);
    expect([...new Set(sizes)]).toEqual([DATAGRAM_BYTES]);
  });

  it('end soon when they are asked to', async () => {
    const left = NAMES.filter((name) => name !== 'bob' && name !== 'carol');
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const timer = realRuntime.timers.after(STOP_MS, () => reject(new Error('too slow to end')));
    const exits = Promise.all(left.map((name) => nodes[name].kill('SIGTERM')));
    const inOrder = { code: 0, signal: null };
    expect(await Promise.race([exits, tooLate])).toEqual(left.map(() => inOrder));
    timer.cancel();
  });

  it('have not logged who and where they are', () => {
    const lines = NAMES.flatMap((name) => nodes[name].lines.entries);
    expect(lines.length).toBeGreaterThan(50);
    expect(findLeaks(lines)).toEqual([]);
  });
});
