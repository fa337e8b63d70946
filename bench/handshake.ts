// What handshakes cost either side, and what a flood of them does (handshake-flood.ts). Machines talk in memory, each
// side's work is timed apart. Proofs of work are not in it: one of an identity takes 13 ms to check, once per neighbour.

import { chooseProvider } from '../core/crypto/index.ts';
import { InitGate, UNDER_LOAD_INITS } from '../core/link/gate.ts';
import { LinkEnd } from '../core/link/testing/end.ts';
import { ALICE, BOB, NETWORK_ID, optionsOf } from '../core/link/testing/nodes.ts';
import { decodeHandshakePacket, MAC1_AT } from '../core/link/wire.ts';
import { answerCreate, decodeCreate, HopInitiator } from '../core/onion/hop.ts';
import { ROUND, testHop, WALL_MS } from '../core/onion/testing/hops.ts';
import { realRng } from '../core/runtime/index.ts';
import { benchFlood } from './handshake-flood.ts';
import type { Recorder } from './harness.ts';

const RUNS = 9;
const PER_RUN = 30;
const STRANGER = { ip: '127.1.2.3', port: 4000 };

export async function benchHandshake(recorder: Recorder): Promise<void> {
  benchSides(recorder, 'link', link);
  benchSides(recorder, 'hop', hop);
  benchInits(recorder);
  await benchFlood(recorder);
}

/** In µs. */
class Stopwatch {
  initiator = 0;
  responder = 0;

  time<T>(side: 'initiator' | 'responder', work: () => T): T {
    const startMs = performance.now();
    const made = work();
    this[side] += (performance.now() - startMs) * 1000;
    return made;
  }
}

function benchSides(recorder: Recorder, name: string, once: (watch: Stopwatch) => void): void {
  const runs: Stopwatch[] = [];
  for (let run = 0; run <= RUNS; run++) {
    const watch = new Stopwatch();
    for (let i = 0; i < PER_RUN; i++) once(watch);
    if (run > 0) runs.push(watch);
  }
  for (const side of ['initiator', 'responder'] as const) {
    recorder.add(
      `${name}: ${side}`,
      'µs',
      runs.map((watch) => watch[side] / PER_RUN),
    );
  }
}

/** From INIT to the first packet under the final keys. */
function link(watch: Stopwatch): void {
  const wanted = BOB.descriptor.identity;
  const a = watch.time(
    'initiator',
    () => new LinkEnd({ ...optionsOf(ALICE, 1), rng: realRng }, wanted),
  );
  const b = watch.time('responder', () => new LinkEnd({ ...optionsOf(BOB, 2), rng: realRng }));
  watch.time('initiator', () => a.tick(0));
  while (a.outbox.length + b.outbox.length > 0) {
    for (const packet of a.outbox.splice(0)) watch.time('responder', () => b.receive(packet, 0));
    for (const packet of b.outbox.splice(0)) watch.time('initiator', () => a.receive(packet, 0));
  }
  if (!a.isOpen || !b.isOpen) throw new Error('the link is not open');
}

const bob = testHop('bob');
const hopParameters = { provider: chooseProvider(), rng: realRng, networkId: NETWORK_ID };

/** CREATE and CREATED. */
function hop(watch: Stopwatch): void {
  const asked = { hop: bob.hostkey.publicKey, round: ROUND, budget: 5 };
  const initiator = watch.time('initiator', () => new HopInitiator(hopParameters, asked));
  const create = watch.time('initiator', () => initiator.create());
  const { created } = watch.time('responder', () =>
    answerCreate(hopParameters, bob.credentials, decodeCreate(create)),
  );
  watch.time('initiator', () => initiator.finish(created, WALL_MS));
}

/** What one INIT costs who gets it. */
function benchInits(recorder: Recorder): void {
  const caller = new LinkEnd(optionsOf(ALICE, 1), BOB.descriptor.identity);
  caller.tick(0);
  const [init = new Uint8Array()] = caller.outbox;
  const foreign = init.with(MAC1_AT, (init[MAC1_AT] ?? 0) ^ 1);
  const gate = new InitGate({
    provider: chooseProvider(),
    rng: realRng,
    networkId: NETWORK_ID,
    identity: BOB.descriptor.identity,
    nowMs: 0,
  });
  const decide = (packet: Uint8Array): string => {
    const { index } = decodeHandshakePacket(packet);
    return gate.decide({ init: packet, index, from: STRANGER }, 0).type;
  };
  for (let i = 0; i <= UNDER_LOAD_INITS; i++) decide(init);
  if (decide(init) !== 'cookie' || decide(foreign) !== 'drop') throw new Error('the gate is open');
  recorder.timeEach({
    'INIT: answered by RESP': () => new LinkEnd(optionsOf(BOB, 2)).receive(init, 0),
    'INIT: under load, answered by COOKIE': () => decide(init),
    'INIT: by who does not know us': () => decide(foreign),
  });
}
