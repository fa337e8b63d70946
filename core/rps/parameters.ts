// The numbers of Brahms (protocol 5) that follow from the size of the network.

/** RPS_ROUND_S. */
export const ROUND_MS = 10_000;

/** Of the view: from pushes, from pulls, from samplers. */
const SHARES = { pushed: 0.45, pulled: 0.45, sampled: 0.1 };
const VIEW_MIN = 16;
const VIEW_MAX = 100;
/**
 * More than 2·l1 for small networks: of 20 nodes 32 samplers know 16 on average, and 128 all of them, so that answers can
 * be uniform over the living.
 */
const SAMPLERS_MIN = 128;

export interface Parameters {
  /** l1. */
  readonly view: number;
  /** l2. */
  readonly samplers: number;
  /** Of each round: how many of the new view come from where. */
  readonly pushed: number;
  readonly pulled: number;
  readonly sampled: number;
  /** PUSH_LIMIT: with more of them in a round somebody floods us. */
  readonly pushesMax: number;
}

/** Undefined: not known, as for the smallest. */
export function parametersFor(networkSize: number | undefined): Parameters {
  const wanted = Math.ceil(3 * Math.cbrt(networkSize ?? 1));
  const view = Math.min(VIEW_MAX, Math.max(VIEW_MIN, wanted));
  const pushed = SHARES.pushed * view;
  return {
    view,
    samplers: Math.max(2 * view, SAMPLERS_MIN),
    pushed: Math.round(pushed),
    pulled: Math.round(SHARES.pulled * view),
    sampled: Math.max(1, Math.round(SHARES.sampled * view)),
    pushesMax: Math.ceil(pushed + 2 * Math.sqrt(pushed)),
  };
}
