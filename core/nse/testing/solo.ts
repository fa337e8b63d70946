// One machine with a clock beside it, and sixty identities to send it messages from, for machine tests.

import { compareBytes, equalBytes, toHex } from '../../bytes/index.ts';
import { powEpochAt } from '../../identity/index.ts';
import type { Now } from '../../link/index.ts';
import { SeededRng } from '../../runtime/index.ts';
import { distanceOf } from '../distance.ts';
import { Nse, type NseInput, type NseOptions, type NseOutput, type Signer } from '../nse.ts';
import { fakeHostkey, verifyFake } from './hostkeys.ts';
import { networkId, periodS } from './messages.ts';

/** Any round will do that is in the middle of a month. */
export const ROUND = 6_000_000;
export const EPOCH = powEpochAt(ROUND * periodS);
/** What passes for a proof of work, and what does not. */
export const GOOD = new Uint8Array(8).fill(1);
export const BAD = new Uint8Array(8).fill(0xff);

export const keys = Array.from({ length: 60 }, (_, i) => fakeHostkey(new SeededRng(i)));

/** By the distance from the round's target, the furthest first. */
export function byDistance(round: number): readonly Signer[] {
  const distance = ({ identity }: Signer): Uint8Array => distanceOf(networkId, round, identity);
  return keys.toSorted((a, b) => compareBytes(distance(b), distance(a)));
}

export function nearestTo(round: number): Signer {
  return at(byDistance(round), -1);
}

const ordered = byDistance(ROUND);
export const furthest = at(ordered, 0);
export const middle = at(ordered, 30);
export const nearest = at(ordered, -1);

function at<T>(list: readonly T[], index: number): T {
  const value = list.at(index);
  if (value === undefined) throw new RangeError(`nothing at ${index}`);
  return value;
}

/** Ten seconds into ROUND, neither nearest nor furthest. */
export class Solo {
  readonly nse: Nse;
  /** Challenges. */
  readonly proofsLookedAt: string[] = [];
  signaturesLookedAt = 0;
  now: Now = { nowMs: 1000, wallMs: (ROUND * periodS + 10) * 1000 };

  constructor(options: Partial<NseOptions> = {}) {
    this.nse = new Nse({
      rng: new SeededRng(1),
      networkId,
      periodS,
      history: 64,
      signer: middle,
      verifySigned: (publicKey, signed) => {
        this.signaturesLookedAt++;
        return verifyFake(publicKey, signed);
      },
      verifyPow: (task, nonce) => {
        this.proofsLookedAt.push(toHex(task.challenge));
        return !equalBytes(nonce, BAD);
      },
      ...options,
    });
  }

  get round(): number {
    return Math.floor(this.now.wallMs / periodS / 1000);
  }

  handle(input: NseInput): NseOutput[] {
    return this.nse.handle(input, this.now);
  }

  tick(): NseOutput[] {
    return this.handle({ type: 'tick' });
  }

  item(item: number, data: Uint8Array): NseOutput[] {
    return this.handle({ type: 'item', item, data });
  }

  pass(ms: number): NseOutput[] {
    this.now = { nowMs: this.now.nowMs + ms, wallMs: this.now.wallMs + ms };
    return this.tick();
  }

  stepWall(ms: number): NseOutput[] {
    this.now = { ...this.now, wallMs: this.now.wallMs + ms };
    return this.tick();
  }

  /** Waits as the driver does, for the first outputs that come of it. */
  next(limitMs = 2 * periodS * 1000): NseOutput[] {
    const untilMs = this.now.nowMs + limitMs;
    while (this.now.nowMs < untilMs) {
      const deadlineMs = Math.min(this.nse.nextDeadlineMs(this.now), untilMs);
      const outputs = this.pass(deadlineMs - this.now.nowMs);
      if (outputs.length > 0) return outputs;
    }
    return [];
  }

  /** Connected to Gossip, and with this month's proof of work. */
  begin(): this {
    this.tick();
    this.handle({ type: 'flood', isUp: true });
    this.handle({ type: 'solved', epoch: EPOCH, nonce: GOOD });
    return this;
  }

  /** What is announced next; the test fails when something else comes. */
  nextAnnouncement(): Uint8Array {
    const [output, ...others] = this.next();
    if (output?.type !== 'announce' || others.length > 0) throw new Error('no announcement');
    return output.data;
  }
}
