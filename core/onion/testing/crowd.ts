// A relay through which many circuits are built with real handshakes, by two neighbours, all on to one and the same next
// hop (protocol 11, a dedicated relay). Work is asked for from half of the limit on, so it is configured for twice as many.

import { chooseProvider, networkId } from '../../crypto/index.ts';
import { manyHostkeys } from '../../identity/testing/many-keys.ts';
import { COMMAND, cellBody, cellCommand, DATAGRAM_BYTES, Links } from '../../link/index.ts';
import type { Runtime } from '../../runtime/index.ts';
import type { Host, World } from '../../sim/index.ts';
import { type BuildOutput, TunnelBuild } from '../build.ts';
import { newCircId } from '../circ-id.ts';
import { CellCollector, destroyCell, REASON, refusal } from '../control-cells.ts';
import { makeCredentials } from '../credentials.ts';
import { encodeInner, INNER } from '../inner.ts';
import type { Peer } from '../peer.ts';
import { type RunningPlane, startPlaneHere } from '../plane-driver.ts';
import type { CircuitId, PlaneEvent } from '../plane-port.ts';
import { onionTiming, roundAt } from '../timing.ts';
import { SimOnion } from './sim-onion.ts';

const provider = chooseProvider();
/** Slow slots: what is many here is circuits. */
const SETTINGS = { roundSeconds: 300, tickMs: 1000, allowPrivate: false };
const TIMING = onionTiming(SETTINGS.roundSeconds, SETTINGS.tickMs);
const NETWORK = networkId({
  name: 'sim',
  roundLengthS: SETTINGS.roundSeconds,
  tickMs: SETTINGS.tickMs,
  linkDatagramBytes: DATAGRAM_BYTES,
});
const STEP_MS = 100;

/** Builds as many tunnels as a test wants, over one link. */
export class Neighbour {
  readonly built = new Set<CircuitId>();
  readonly failed = new Set<CircuitId>();
  /** Circuits on which an echo has come. */
  readonly echoed = new Set<CircuitId>();
  readonly #runtime: Runtime;
  readonly #plane: RunningPlane;
  readonly #links: Links;
  readonly #builds = new Map<CircuitId, TunnelBuild>();
  readonly #circIds = new Map<CircuitId, number>();
  readonly #cells = new CellCollector();
  #link: number | undefined;

  constructor(host: Host, hostkey: ReturnType<typeof manyHostkeys>[number]) {
    const runtime = host.start();
    const { rng } = runtime;
    const common = { provider, rng, networkId: NETWORK };
    const shown = { hostkey, addresses: [], onionPort: 4000, powNonce: new Uint8Array(8) };
    this.#runtime = runtime;
    this.#plane = startPlaneHere(runtime, provider)(SETTINGS, (event) => this.#onPlane(event));
    this.#links = new Links({
      ...common,
      self: makeCredentials({ ...common, ...shown }, runtime.clock.wallMs()).link,
      allowPrivate: false,
      nowMs: runtime.clock.nowMs(),
      hasProof: () => true,
      post: (command) => this.#plane.post(command),
      emit: (event) => {
        if (event.type !== 'up') return;
        this.#link = event.link;
        this.#links.setInUse(event.link, true, this.#now().nowMs);
      },
    });
    this.#links.listen({ udp: { ip: host.ip, port: 4000 } });
  }

  call(peer: Peer): void {
    this.#links.open(peer, this.#now());
  }

  build(circuit: CircuitId, path: readonly Peer[]): void {
    const { rng } = this.#runtime;
    const circId = newCircId(rng, true);
    const { wallMs } = this.#now();
    const options = {
      parameters: { provider, rng, networkId: NETWORK },
      timing: TIMING,
      circuit,
      link: this.#link ?? 0,
      circId,
      round: roundAt(TIMING, wallMs),
      budget: 4,
      path,
    };
    this.#circIds.set(circuit, circId);
    this.#builds.set(circuit, new TunnelBuild(options, this.#now()));
  }

  tick(): void {
    const now = this.#now();
    this.#links.onTimer(now);
    for (const [circuit, build] of this.#builds) this.#told(circuit, build.onTimer(now));
  }

  cover(): void {
    for (const circuit of this.built) {
      const messages = encodeInner(INNER.cover, Uint8Array.of(1), 0);
      this.#plane.post({ type: 'send inner', circuit, queue: 'data', messages });
    }
  }

  end(): void {
    for (const [circuit, circId] of this.#circIds) {
      const cells = [destroyCell(this.#runtime.rng, circId, refusal(REASON.normal))];
      this.#plane.post({ type: 'send cells', circuit, side: 'next', cells });
      this.#plane.post({ type: 'remove', circuit });
    }
  }

  #now() {
    const { clock } = this.#runtime;
    return { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
  }

  #onPlane(event: PlaneEvent): void {
    const now = this.#now();
    if (event.type === 'cell') this.#onCell(event);
    else if (event.type === 'inner') {
      const { circuit, message } = event;
      if (message[0] === INNER.coverEcho) this.echoed.add(circuit);
      else this.#told(circuit, this.#builds.get(circuit)?.onInner(message, now) ?? []);
    } else if ('circuit' in event || event.type === 'counters') return;
    else this.#links.handle(event, now);
  }

  #onCell({ circuit = 0, cell }: PlaneEvent & { readonly type: 'cell' }): void {
    const now = this.#now();
    const build = this.#builds.get(circuit);
    if (cellCommand(cell) === COMMAND.destroy) {
      this.#told(circuit, build?.onRefused(cellBody(cell)) ?? []);
      return;
    }
    const payload = this.#cells.collect(cell, now.nowMs);
    if (payload !== undefined) this.#told(circuit, build?.onCreated(payload, now) ?? []);
  }

  #told(circuit: CircuitId, outputs: readonly BuildOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'plane') this.#plane.post(output.command);
      else if (output.type === 'built') this.built.add(circuit);
      else this.failed.add(circuit);
    }
  }
}

export interface Crowd {
  readonly relay: SimOnion;
  readonly end: SimOnion;
  readonly neighbours: readonly Neighbour[];
  /** Each begins to build so many more over the relay. */
  build(each: number, everyMs: number): Promise<void>;
  run(ms: number): Promise<void>;
}

/** Their links are up; nothing is built yet. */
export async function crowd(world: World, maxCircuits: number): Promise<Crowd> {
  const [relayKey, endKey, ...keys] = manyHostkeys(4);
  if (relayKey === undefined || endKey === undefined) throw new Error('nobody');
  const relay = new SimOnion(world.host('relay'), relayKey);
  const end = new SimOnion(world.host('end'), endKey);
  relay.start({ ...SETTINGS, maxCircuits }, () => []);
  end.start({ ...SETTINGS, maxCircuits: 2 * maxCircuits }, () => []);
  const neighbours = keys.map((key, i) => new Neighbour(world.host(`neighbour ${i}`), key));
  const run = async (ms: number): Promise<void> => {
    for (let i = 0; i < ms / STEP_MS; i++) {
      await world.runFor(STEP_MS);
      for (const neighbour of neighbours) neighbour.tick();
    }
  };
  let circuit = 0;
  const build = async (each: number, everyMs: number): Promise<void> => {
    for (let i = 0; i < each; i++) {
      circuit++;
      for (const neighbour of neighbours) neighbour.build(circuit, [relay.peer, end.peer]);
      await run(everyMs);
    }
  };
  await run(1000);
  for (const neighbour of neighbours) neighbour.call(relay.peer);
  await run(3000);
  return { relay, end, neighbours, build, run };
}
