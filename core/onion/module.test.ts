// The Onion module as people run it: six processes on loopback, their RPS modules played by the test, so that it knows
// which relays a tunnel runs over. The tests are steps of one story. Most of its time are the two million bytes, at a
// tunnel's rate; before, each process works some seconds for the proof of its identity.
//
// Alice calls dave. Bob and carol are the only relays that alice knows, until they are killed; erin loses her RPS; frank
// does nothing. Nobody knows alice and frank, so their lines carry their own tunnels and nothing else.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testHostkey } from '../identity/testing/keys.ts';
import { DATAGRAM_BYTES } from '../link/index.ts';
import { findLeaks } from '../log/testing/index.ts';
import { realRuntime } from '../runtime/index.ts';
import { freeAddress } from '../runtime/testing/free-address.ts';
import { INNER_DATA_MAX } from './geometry.ts';
import { openGuardsFile } from './guards-file.ts';
import { toPeer } from './peer.ts';
import { OnionClient } from './testing/api-client.ts';
import { Line } from './testing/line.ts';
import { OnionProcess } from './testing/processes.ts';
import { heard, longestGap, type Speaker, Talk, WORDS } from './testing/talk.ts';
import { onionTiming, roundAt, TICK_MS } from './timing.ts';

/** A megabyte takes three of them, and a busy machine can build its tunnels in time. */
const ROUND_SECONDS = 13;
const TIMING = onionTiming(ROUND_SECONDS);
const SECOND = 1000 / TICK_MS;
const MEGABYTE = Math.ceil(1e6 / INNER_DATA_MAX);
/** Loopback loses a little when the machine is busy; a switch that does not work loses far more. */
const LOSS_MAX = 0.1;
/** Missing one after the other, these tell that a relay was lost, which is noticed after twice as many. */
const SILENCE = TIMING.tunnelTimeoutMs / TICK_MS / 2;
/** Too many at once: seven times what may wait. */
const BURST = 1000;
/** How much the lines of two nodes may differ on a busy machine; data that showed would be a difference of all. */
const LINES_DIFFER_MAX = 0.2;
const DATA = 'onion tunnel data';
/** What the program logs when another tunnel is in use. */
const STANDS = 'a tunnel stands';
/** The program promises to end so soon. */
const STOP_MS = 2000;

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'] as const;
type Name = (typeof NAMES)[number];

let folder = '';
let nodes: Readonly<Record<Name, OnionProcess>>;
let lines: Readonly<Record<'alice' | 'frank', Line>>;
/** Of the tunnel from alice to dave, who has two clients. */
let call: Readonly<Record<'caller' | 'callee' | 'other', Speaker>>;
let talk: Talk | undefined;
/** Rounds in which they spoke from the beginning to the end. */
let busyRounds: readonly number[] = [];

async function byName<T>(of: (name: Name) => Promise<T>): Promise<Readonly<Record<Name, T>>> {
  const entries = NAMES.map(async (name) => [name, await of(name)] as const);
  return Object.fromEntries(await Promise.all(entries)) as Record<Name, T>;
}

/** From now on this is whom its RPS knows. */
async function letKnow(to: Name, others: readonly Name[]): Promise<void> {
  const peers = others.filter((name) => name !== to).map((name) => nodes[name].peer);
  const line = to === 'alice' || to === 'frank' ? lines[to] : undefined;
  nodes[to].rps.peers =
    line === undefined ? peers : await Promise.all(peers.map((peer) => line.through(peer)));
}

function roundNow(): number {
  return roundAt(TIMING, realRuntime.clock.wallMs());
}

/** The rounds in these lines of a log in which a tunnel stood. */
function roundsIn(log: readonly string[]): ReadonlySet<string | undefined> {
  const standing = log.filter((line) => line.includes(STANDS));
  return new Set(standing.map((line) => /round=(\d+)/.exec(line)?.[1]));
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-onion-'));
  nodes = await byName((name) => {
    const profile = name === 'dave' ? 'hardened' : 'spec';
    return OnionProcess.start(name, { folder, roundSeconds: ROUND_SECONDS, profile });
  });
  const { alice, frank } = nodes;
  lines = {
    alice: new Line(alice.peer.address, TIMING),
    frank: new Line(frank.peer.address, TIMING),
  };
  await byName((name) => nodes[name].running());
  await byName((name) => letKnow(name, ['bob', 'carol', 'dave', 'erin']));
  // So these are on the path to dave.
  await letKnow('alice', ['bob', 'carol', 'dave']);
});

afterAll(async () => {
  talk?.stop();
  await byName(async (name) => {
    await nodes[name].kill('SIGKILL');
    await nodes[name].rps.stop();
  });
  for (const line of Object.values(lines)) await line.close();
  await rm(folder, { recursive: true });
});

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

describe.concurrent('all at once they', () => {
  it('carry a megabyte each way over three switches that nobody notices', async ({ expect }) => {
    const calling = await OnionClient.connect(nodes.alice.api);
    const called = await OnionClient.connect(nodes.dave.api);
    const calledToo = await OnionClient.connect(nodes.dave.api);
    calling.build(nodes.dave.peer);
    const ready = await calling.got('onion tunnel ready');
    expect(ready.hostkey).toEqual(nodes.dave.peer.publicKey);
    const { tunnelId: tunnel } = await called.got('onion tunnel incoming');
    expect((await calledToo.got('onion tunnel incoming')).tunnelId).toBe(tunnel);

    const { length } = nodes.alice.lines.entries;
    const firstRound = roundNow() + 1;
    const caller = { client: calling, tunnel: ready.tunnelId };
    const callee = { client: called, tunnel };
    const other = { client: calledToo, tunnel };
    call = { caller, callee, other };
    talk = new Talk(caller, callee);
    await talk.goesOnFor(MEGABYTE);
    busyRounds = Array.from({ length: roundNow() - firstRound }, (_, i) => firstRound + i);
    const since = nodes.alice.lines.entries.slice(length);
    expect(roundsIn(since).size).toBeGreaterThanOrEqual(3);
    for (const speaker of [caller, callee]) {
      const numbers = heard(speaker);
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(numbers.length).toBeGreaterThan((1 - LOSS_MAX) * MEGABYTE);
      expect(longestGap(numbers, 0, MEGABYTE)).toBeLessThan(SILENCE);
    }
    const [copy, copied] = [heard(other), heard(callee)];
    expect(copy.slice(0, MEGABYTE / 2)).toEqual(copied.slice(0, MEGABYTE / 2));
  });

  it('refuse a tunnel to who cannot be reached, at the end of the next round', async ({
    expect,
  }) => {
    const client = await OnionClient.connect(nodes.bob.api);
    const asked = roundNow();
    client.build(toPeer(testHostkey('grace').publicKey, await freeAddress()));
    expect((await client.refused('onion tunnel build')).tunnelId).toBe(0);
    expect(roundNow()).toBeGreaterThanOrEqual(asked + 2);
    expect(client.received.entries).toHaveLength(1);
    client.end();
  });

  it('refuse a tunnel without RPS, say once that it is away, and go on when it is back', async ({
    expect,
  }) => {
    const { erin, dave } = nodes;
    const { length } = erin.lines.entries;
    await erin.rps.stop();
    await erin.said('the module is away', length);
    const client = await OnionClient.connect(erin.api);
    const asked = roundNow();
    client.build(dave.peer);
    expect((await client.refused('onion tunnel build')).tunnelId).toBe(0);
    expect(roundNow()).toBeGreaterThanOrEqual(asked + 2);
    const said = erin.lines.entries.slice(length);
    expect(said.filter((line) => /away|peers/.test(line))).toHaveLength(1);
    await erin.rps.start();
    await erin.said(STANDS, await erin.said('the module is back', length));
    client.end();
  });
});

describe('then they', () => {
  it('have sent datagrams of one size', () => {
    for (const { sizes } of Object.values(lines)) expect([...sizes]).toEqual([DATAGRAM_BYTES]);
  });

  it.each(['sent', 'received'] as const)(
    'have %s as many for the tunnel with data as for one without',
    (direction) => {
      const { alice, frank } = lines;
      const [busy, idle] = [alice, frank].map((line) =>
        median(line.packets(direction, busyRounds)),
      );
      expect(idle).toBeGreaterThan(SECOND);
      expect(busy).toBeGreaterThan((1 - LINES_DIFFER_MAX) * (idle ?? 0));
      expect(busy).toBeLessThan((1 + LINES_DIFFER_MAX) * (idle ?? 0));
    },
  );

  it('refuse COVER while a tunnel is ready, and data on the tunnel of another client', async () => {
    const client = await OnionClient.connect(nodes.alice.api);
    client.cover(300);
    await client.refused('onion cover');
    const { tunnel } = call.caller;
    client.send(tunnel, new Uint8Array(1));
    expect((await client.refused('onion tunnel data')).tunnelId).toBe(tunnel);
    await talk?.goesOnFor(SECOND);
    expect(client.received.entries).toHaveLength(2);
    client.end();
  });

  it('let the oldest go of what is faster than the slots', async () => {
    const first = talk?.said ?? 0;
    talk?.fallBehind(BURST);
    await talk?.goesOnFor(BURST + SECOND);
    for (const speaker of [call.caller, call.callee]) {
      const numbers = heard(speaker).filter((n) => n >= first && n < first + BURST);
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(numbers.length).toBeLessThan(BURST / 2);
      expect(Math.max(...numbers)).toBeGreaterThan(first + 0.8 * BURST);
    }
  });

  it('give data to those who have not destroyed the tunnel', async () => {
    const { other } = call;
    other.client.destroy(other.tunnel);
    other.client.send(other.tunnel, new Uint8Array(1));
    await other.client.refused('onion tunnel data');
    const { length } = heard(other);
    await talk?.goesOnFor(SECOND);
    expect(heard(other)).toHaveLength(length);
  });

  // RPS knows the dead for long.
  it.each([
    ['bob', ['bob', 'carol', 'dave', 'erin']],
    ['carol', ['bob', 'carol', 'dave', 'erin', 'frank']],
  ] as const)('go on when %s, on the path, is killed', async (relay, known) => {
    const ends = [call.caller, call.callee].map((speaker) => {
      return { speaker, last: Math.max(...heard(speaker)) };
    });
    await nodes[relay].kill('SIGKILL');
    await letKnow('alice', known);
    await talk?.goesOnFor(SECOND);
    for (const { speaker, last } of ends) {
      const numbers = heard(speaker);
      // It was on the path.
      expect(longestGap(numbers, last, Math.max(...numbers))).toBeGreaterThan(SILENCE);
      expect(new Set(numbers).size).toBe(numbers.length);
    }
  });

  it('tell the callee that the caller has ended the tunnel, which was one all the time', async () => {
    const { caller, callee } = call;
    talk?.stop();
    caller.client.destroy(caller.tunnel);
    expect((await callee.client.refused('onion tunnel data')).tunnelId).toBe(callee.tunnel);
    const told = [caller, callee].map(({ client }) =>
      client.received.entries.map(({ type }) => type).filter((type) => type !== DATA),
    );
    expect(told).toEqual([['onion tunnel ready'], ['onion tunnel incoming', 'onion error']]);
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

  it('have kept the guards of who wants some', async () => {
    const ofAll = await byName(async (name) => {
      const { saved } = await openGuardsFile(`${nodes[name].file}.guards`, () => {});
      return saved.length;
    });
    expect(ofAll).toEqual({
      alice: 0,
      bob: 0,
      carol: 0,
      dave: expect.any(Number),
      erin: 0,
      frank: 0,
    });
    expect(ofAll.dave).toBeGreaterThanOrEqual(2);
  });

  it('have not logged who and where they are, and what they say', () => {
    const logged = NAMES.flatMap((name) => nodes[name].lines.entries);
    expect(logged.length).toBeGreaterThan(30);
    expect(findLeaks(logged)).toEqual([]);
    expect(logged.filter((line) => line.includes(WORDS))).toEqual([]);
  });
});
