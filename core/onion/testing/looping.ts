// A node that leads circuits round and round over two neighbours, to load them with many times what it sends itself
// (protocol 3.3, "Length limit"; attack 10). It keeps every rule of the handshake and breaks those of paths.

import { chooseProvider } from '../../crypto/index.ts';
import { COMMAND, cellCommand, type LinkId } from '../../link/index.ts';
import { TunnelBuild } from '../build.ts';
import { newCircId } from '../circ-id.ts';
import { CellCollector } from '../control-cells.ts';
import { decoded } from '../decoded.ts';
import { encodeExtend } from '../extend.ts';
import { BUDGET_MAX, HopInitiator } from '../hop.ts';
import { encodeInner, INNER, InnerReceiver } from '../inner.ts';
import type { Peer } from '../peer.ts';
import type { PlaneEvent } from '../plane-port.ts';
import { roundAt } from '../timing.ts';
import type { MakeBehaviour, Self } from './hostile-plane.ts';
import type { NodeNumber } from './witness.ts';

const provider = chooseProvider();
/** Far from the numbers the node's control plane gives. */
const CIRCUIT = 1_000_000;
const STEP_MS = 100;

/** What came of one loop. */
export interface Loop {
  hops: number;
  isOver: boolean;
  /** EXTENDs beyond the last hop that were refused. */
  refused: number;
}

export interface LoopingOptions {
  readonly loops: number;
  /** Whom it leads in circles. */
  readonly around: readonly NodeNumber[];
  /** Gets one entry per loop; each begins when the one before is as long as it gets. */
  readonly report: Loop[];
}

/** Begins when it first has a link to one of them. */
export function looping({ loops, around, report }: LoopingOptions): MakeBehaviour {
  return (self) => {
    const running: RunningLoop[] = [];
    const peers = around.map((number) => self.network.node(number).peer);
    const begin = (link: LinkId): void => {
      const loop = new RunningLoop(self, link, CIRCUIT + running.length, peers);
      running.push(loop);
      report.push(loop.result);
    };
    const step = (): void => {
      const found = [...self.links].find(([, peer]) => peer === around[0]);
      const isReady = running.length < loops && report.every(({ isOver }) => isOver);
      if (isReady && found !== undefined) begin(found[0]);
      for (const loop of running) loop.step();
      self.runtime.timers.after(STEP_MS, step);
    };
    self.runtime.timers.after(STEP_MS, step);
    return {
      onEvent: (event) => {
        const isOurs = 'circuit' in event && (event.circuit ?? 0) >= CIRCUIT;
        if (isOurs) running[(event.circuit ?? 0) - CIRCUIT]?.onEvent(event);
        return isOurs ? [] : [event];
      },
    };
  };
}

class RunningLoop {
  readonly result: Loop = { hops: 0, isOver: false, refused: 0 };
  readonly #self: Self;
  readonly #circuit: number;
  readonly #round: number;
  readonly #build: TunnelBuild;
  readonly #path: readonly Peer[];
  readonly #cells = new CellCollector();
  readonly #inner = new InnerReceiver();

  constructor(self: Self, link: LinkId, circuit: number, around: readonly Peer[]) {
    const { network, rng, runtime } = self;
    this.#self = self;
    this.#circuit = circuit;
    this.#path = Array.from({ length: BUDGET_MAX }, (_, i) => around[i % around.length]).filter(
      (peer) => peer !== undefined,
    );
    this.#round = roundAt(network.timing, runtime.clock.wallMs());
    const parameters = { provider, rng, networkId: network.networkId };
    const { links } = network.statusOf(self.number).links;
    const isInitiator = links.find((one) => one.link === link)?.initiator ?? true;
    const place = { circuit, link, circId: newCircId(rng, isInitiator) };
    const path = { round: this.#round, budget: BUDGET_MAX, path: this.#path };
    const { timing } = network;
    this.#build = new TunnelBuild({ parameters, timing, ...place, ...path }, this.#now());
  }

  step(): void {
    if (!this.result.isOver) this.#do(this.#build.onTimer(this.#now()));
  }

  onEvent(event: PlaneEvent): void {
    if (event.type === 'cell') this.#onCell(event.cell);
    else if (event.type !== 'inner') return;
    else if (this.result.isOver) this.#onRefusal(event.message);
    else this.#do(this.#build.onInner(event.message, this.#now()));
  }

  #onCell(cell: Uint8Array): void {
    if (cellCommand(cell) !== COMMAND.created) return;
    const payload = this.#cells.collect(cell, this.#now().nowMs);
    if (payload !== undefined) this.#do(this.#build.onCreated(payload, this.#now()));
  }

  #onRefusal(plaintext: Uint8Array): void {
    const message = decoded(() => this.#inner.receive(plaintext, this.#now().nowMs));
    if (message?.type === INNER.extendFail) this.result.refused++;
  }

  #do(outputs: ReturnType<TunnelBuild['onTimer']>): void {
    for (const output of outputs) {
      if (output.type === 'plane') this.#self.post(output.command);
      else this.result.isOver = true;
    }
    this.result.hops = this.#build.hops;
    if (outputs.some(({ type }) => type === 'built')) this.#goFurther();
  }

  /** The last hop may allow no other: neither with the budget it has nor with another. */
  #goFurther(): void {
    const { network, rng } = this.#self;
    const [next] = this.#path;
    if (next === undefined) return;
    const parameters = { provider, rng, networkId: network.networkId };
    [0, 1, BUDGET_MAX].forEach((budget, i) => {
      const asked = { hop: next.publicKey, round: this.#round, budget };
      const extend = encodeExtend({
        ...next,
        create: new HopInitiator(parameters, asked).create(),
      });
      const messages = encodeInner(INNER.extend, extend, 1000 + i);
      const circuit = this.#circuit;
      this.#self.post({ type: 'send inner', circuit, queue: 'control', messages });
    });
  }

  #now() {
    const { clock } = this.#self.runtime;
    return { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
  }
}
