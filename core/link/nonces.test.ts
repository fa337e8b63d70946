// Attack 17 as a model: links come up, lose packets, carry cells, are rekeyed, break and come up again, and over all
// of it no AEAD key ever meets the same nonce twice, whoever of the two seals.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { fuzz } from '../bytes/testing/hostile.ts';
import { type CryptoProvider, chooseProvider } from '../crypto/index.ts';
import { randomUnit, SeededRng } from '../runtime/index.ts';
import { LinkEnd } from './testing/end.ts';
import { ALICE, BOB, optionsOf } from './testing/nodes.ts';
import { type Fate, run } from './testing/run.ts';

type Step =
  | { readonly type: 'send'; readonly from: 'a' | 'b'; readonly cells: number }
  | { readonly type: 'wait'; readonly seconds: number }
  | { readonly type: 'rekey' }
  | { readonly type: 'restart' };

const STEPS: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({
      type: fc.constant('send' as const),
      from: fc.constantFrom('a' as const, 'b' as const),
      cells: fc.nat(20),
    }),
    fc.record({ type: fc.constant('wait' as const), seconds: fc.nat(400) }),
    fc.record({ type: fc.constant('rekey' as const) }),
    fc.record({ type: fc.constant('restart' as const) }),
  ),
  { minLength: 5, maxLength: 20 },
);

/** Fails when it is to seal with a key and nonce that it has sealed with before. */
class Watched {
  readonly #pairs = new Set<string>();
  readonly provider: CryptoProvider;

  constructor(real: CryptoProvider) {
    this.provider = {
      ...real,
      seal: (buffer, nonce, aad, key) => {
        const pair = `${toHex(key)} ${toHex(nonce)}`;
        expect(this.#pairs.has(pair)).toBe(false);
        this.#pairs.add(pair);
        real.seal(buffer, nonce, aad, key);
      },
    };
  }
}

class Model {
  readonly #watched = new Watched(chooseProvider());
  readonly #fate: Fate;
  #nowMs = 0;
  #starts = 0;
  #ends: { readonly a: LinkEnd; readonly b: LinkEnd };
  opened = 0;
  rekeyed = 0;

  constructor(seed: number) {
    const rng = new SeededRng(seed);
    this.#fate = (_packet, _from, nowMs) =>
      [nowMs + 20, nowMs + 90].filter(() => randomUnit(rng) < 0.6);
    this.#ends = this.#start();
  }

  take(step: Step): void {
    const { a, b } = this.#ends;
    switch (step.type) {
      case 'send':
        for (let i = 0; i < step.cells; i++) {
          this.#ends[step.from].sendBody(new Uint8Array(512), this.#nowMs);
        }
        break;
      case 'wait':
        this.#nowMs += step.seconds * 1000;
        break;
      case 'rekey':
        a.rekey({ type: 'due' }, this.#nowMs);
        break;
      case 'restart':
        this.#ends = this.#start();
        return;
    }
    const before = b.rekeyings;
    this.#run({ a, b });
    this.rekeyed += b.rekeyings - before;
  }

  /** The same people with fresh randomness, as after a crash. */
  #start(): { readonly a: LinkEnd; readonly b: LinkEnd } {
    const times = { provider: this.#watched.provider, nowMs: this.#nowMs };
    const seed = 10 + 2 * this.#starts++;
    const a = new LinkEnd({ ...optionsOf(ALICE, seed), ...times }, BOB.descriptor.identity);
    const b = new LinkEnd({ ...optionsOf(BOB, seed + 1), ...times });
    this.#run({ a, b });
    if (b.isOpen) this.opened++;
    return { a, b };
  }

  #run(ends: { readonly a: LinkEnd; readonly b: LinkEnd }): void {
    const untilMs = this.#nowMs + 10_000;
    run(ends, { fate: this.#fate, fromMs: this.#nowMs, untilMs });
    this.#nowMs = untilMs;
  }
}

describe('attack 17: nonce reuse', () => {
  it('never happens, whatever happens to the link', () => {
    let [opened, rekeyed] = [0, 0];
    fc.assert(
      fc.property(STEPS, fc.nat(), (steps, seed) => {
        const model = new Model(seed);
        for (const step of steps) model.take(step);
        opened += model.opened;
        rekeyed += model.rekeyed;
      }),
      fuzz({ runs: 25 }),
    );
    expect(opened).toBeGreaterThan(25);
    expect(rekeyed).toBeGreaterThan(10);
  });
});
