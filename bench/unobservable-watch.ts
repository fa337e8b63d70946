// Watches lines: pairs of nodes talk or not, as a coin decides, for half a minute each time, and every half minute of every
// node is a trace. Beside them run senders that do it wrong. Where nothing may be captured the nodes themselves note what
// they send, and nothing is seen of the others.

import { startPlaneThread, TICK_MS } from '../core/onion/index.ts';
import { randomBelow, realRng, shuffled } from '../core/runtime/index.ts';
import { sleep } from './bed.ts';
import { Capture, canCapture, type Seen } from './unobservable-capture.ts';
import type { Trace } from './unobservable-features.ts';
import { NaiveSenders, type Pair, Pairs } from './unobservable-network.ts';
import { notingPlane } from './unobservable-noting.ts';

export const PAIRS = 8;
export const TRACE_MS = 30_000;
const NAIVE = 4;
/** Between traces, when pairs begin and end to talk. */
const CHANGE_MS = 2000;
/** tcpdump tells of packets in blocks, up to a second later. */
const SEEN_LATE_MS = 1500;
/** What could be said in a trace, in both directions. */
const MESSAGES = (2 * TRACE_MS) / TICK_MS;
/** Traces in which less was heard of what was said, or more in silence (what had waited), are left out. */
const TALK_MIN = 0.9;
const SILENCE_MAX = 0.02;

export interface Watched {
  readonly traces: readonly Trace[];
  readonly naive: readonly Trace[];
}

/** A network of its own, for some traces of each of its nodes. */
export async function watch(session: number, windows: number): Promise<Watched> {
  const [seen, watched]: [Seen[], { readonly line: Line; readonly trace: Trace }[]] = [[], []];
  const scene = await Scene.start(session, windows, (one) => seen.push(one));
  for (let window = 0; window < windows; window++) {
    for (const line of scene.lines) line.begin(window);
    await sleep(CHANGE_MS);
    const fromMs = performance.timeOrigin + performance.now();
    const ends = scene.lines.map((line) => ({ line, end: line.watch(window) }));
    await sleep(TRACE_MS);
    const proper = ends.filter(({ end }) => end()).map(({ line }) => line);
    await sleep(SEEN_LATE_MS);
    const span = seen.splice(0).filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + TRACE_MS);
    span.sort((a, b) => a.atMs - b.atMs);
    for (const line of proper) {
      for (const trace of tracesOf(line, span, session, window)) watched.push({ line, trace });
    }
  }
  await scene.stop();
  const of = (naive: boolean): Trace[] =>
    watched.flatMap(({ line, trace }) => (line.isNaive === naive ? [trace] : []));
  return { traces: of(false), naive: of(true) };
}

/** All that is watched, and by what. */
class Scene {
  readonly lines: readonly Line[];
  readonly #network: Pairs;
  readonly #capture: Capture | undefined;
  readonly #senders: NaiveSenders | undefined;

  static async start(
    session: number,
    windows: number,
    onSeen: (seen: Seen) => void,
  ): Promise<Scene> {
    if (!canCapture()) {
      const network = await Pairs.start(PAIRS, notingPlane(onSeen));
      return new Scene(pairLines(network, session, windows), network, undefined, undefined);
    }
    const network = await Pairs.start(PAIRS, startPlaneThread);
    const senders = await NaiveSenders.start(NAIVE);
    const lines = [
      ...pairLines(network, session, windows),
      ...plansOf(NAIVE, windows).map((plan, i) =>
        naiveLine(senders, { index: i, group: groupOf(session, i), plan }),
      ),
    ];
    const capture = await Capture.start(
      [...lines.flatMap(({ ports }) => ports), senders.sink],
      onSeen,
    );
    return new Scene(lines, network, capture, senders);
  }

  private constructor(
    lines: readonly Line[],
    network: Pairs,
    capture: Capture | undefined,
    senders: NaiveSenders | undefined,
  ) {
    this.lines = lines;
    this.#network = network;
    this.#capture = capture;
    this.#senders = senders;
  }

  async stop(): Promise<void> {
    await this.#capture?.stop();
    await Promise.all([this.#network.stop(), this.#senders?.stop()]);
  }
}

function pairLines({ pairs }: Pairs, session: number, windows: number): Line[] {
  const plans = plansOf(pairs.length, windows);
  return pairs.map((pair, i) => pairLine(pair, groupOf(session, i), plans[i] ?? []));
}

/** What is watched together, and talks in some windows. */
interface Line {
  readonly isNaive: boolean;
  readonly group: number;
  readonly ports: readonly number[];
  readonly plan: readonly boolean[];
  begin(window: number): void;
  /** From now on; the answer tells at the end whether what was planned has happened. */
  watch(window: number): () => boolean;
}

function pairLine(pair: Pair, group: number, plan: readonly boolean[]): Line {
  return {
    isNaive: false,
    group,
    ports: pair.ports,
    plan,
    begin: (window) => (plan[window] === true ? pair.speak() : pair.hush()),
    watch: (window) => {
      const before = pair.heard();
      return () => {
        const share = (pair.heard() - before) / MESSAGES;
        return plan[window] === true ? share > TALK_MIN : share < SILENCE_MAX;
      };
    },
  };
}

function naiveLine(
  senders: NaiveSenders,
  { index, group, plan }: Pick<Line, 'group' | 'plan'> & { readonly index: number },
): Line {
  return {
    isNaive: true,
    group,
    ports: senders.ports.slice(index, index + 1),
    plan,
    begin: (window) => senders.setBusy(index, plan[window] === true),
    watch: () => () => true,
  };
}

/** Two lines that talk in turn: in each window one of them does. */
function groupOf(session: number, line: number): number {
  return 2 ** 16 * session + (line >> 1);
}

/**
 * In which windows each line is to talk: half of them, at random. Every second does the opposite of the one before it, so
 * that in each window half of the lines talk: what the machine does at that time is a sign of neither.
 */
function plansOf(lines: number, windows: number): boolean[][] {
  const plans: boolean[][] = [];
  while (plans.length < lines) {
    const first = randomBelow(realRng, 2);
    const halves = Array.from({ length: windows }, (_, i) => (i + first) % 2 === 0);
    const plan = shuffled(realRng, halves);
    plans.push(
      plan,
      plan.map((isBusy) => !isBusy),
    );
  }
  return plans;
}

/** What was seen of each of the line's nodes. */
function tracesOf(
  { group, ports, plan }: Line,
  span: readonly Seen[],
  session: number,
  window: number,
): Trace[] {
  return ports.map((port) => ({
    node: 2 ** 16 * session + port,
    window: 2 ** 16 * session + window,
    group,
    isBusy: plan[window] === true,
    sent: span.filter(({ from }) => from === port),
    received: span.filter(({ to }) => to === port),
  }));
}
