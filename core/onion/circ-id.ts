// Circuit numbers on a link (protocol 3.2): random, and with the top bit set when chosen by the side that began the link,
// so that both sides can choose at once without meeting. 0 is the link itself.

import { type Rng, randomBelow } from '../runtime/index.ts';

const TOP_BIT = 2 ** 31;

export function newCircId(rng: Rng, isLinkInitiator: boolean): number {
  const number = 1 + randomBelow(rng, TOP_BIT - 1);
  return isLinkInitiator ? TOP_BIT + number : number;
}
