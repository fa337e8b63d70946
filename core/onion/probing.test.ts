import { describe, expect, it } from 'vitest';
import { Lioness } from '../crypto/index.ts';
import { cellBody } from '../link/index.ts';
import { randomBytes, SeededRng } from '../runtime/index.ts';
import { OwnCircuit } from './circuits.ts';
import { BODY_BYTES, CELL_BYTES } from './geometry.ts';
import { ECHOES, encodeInner, INNER } from './inner.ts';
import { HopLayer, InnerSeal } from './layers.ts';
import { provider } from './testing/hops.ts';
import { filled } from './testing/planes.ts';
import { onionTiming } from './timing.ts';

const SLOTS_PER_SECOND = 50;
const NOTHING = new Uint8Array();
const [DATA = NOTHING] = encodeInner(INNER.data, filled(1), 0);

/** What an endpoint sends in answer to what has come; undefined: what an honest one has to say, or nothing. */
type Endpoint = (asked: Uint8Array, slot: number) => Uint8Array | undefined;

const honest: Endpoint = (asked) => {
  const echo = ECHOES.get(asked[0]);
  return echo === undefined ? undefined : asked.with(0, echo);
};
const mute: Endpoint = () => undefined;
const onlyTo =
  (type: number): Endpoint =>
  (asked, slot) =>
    asked[0] === type ? honest(asked, slot) : undefined;

/** A tunnel of ours of one hop, the endpoint, to which a slot takes no time. */
function tunnelTo(endpoint: Endpoint) {
  const rng = new SeededRng(1);
  const lioness = new Lioness(provider);
  const secret = randomBytes(rng, 32);
  const own = new OwnCircuit(
    { provider, lioness, rng, timing: onionTiming(300) },
    { link: 1, circId: 9 },
    [],
  );
  own.addHop(secret);
  const [layer, seal] = [new HopLayer(lioness, secret), new InnerSeal(provider, 'hop', secret)];
  const asked: number[] = [];
  /** Of a client, in each slot. */
  const runSlots = (count: number, message?: (slot: number) => Uint8Array): void => {
    for (let slot = 0; slot < count; slot++) {
      if (message !== undefined) own.outgoing.pushData([message(slot)]);
      const cell = new Uint8Array(CELL_BYTES);
      own.stream.fill(cell);
      const body = cellBody(cell);
      layer.takeOffForward(body);
      const plaintext = seal.open(body) ?? NOTHING;
      asked.push(plaintext[0] ?? 0);
      const back = new Uint8Array(BODY_BYTES);
      seal.seal(back, endpoint(plaintext.slice(), slot) ?? NOTHING);
      layer.putOnBackward(back);
      own.arrive(back);
    }
  };
  return { own, asked, runSlots };
}

function cover(slot: number): Uint8Array {
  return encodeInner(INNER.cover, filled(slot), 0)[0] ?? NOTHING;
}

/** After which second the tunnel counts as unanswered; undefined: not within a minute. */
function foundOut(endpoint: Endpoint, message?: (slot: number) => Uint8Array): number | undefined {
  const { own, runSlots } = tunnelTo(endpoint);
  for (let second = 1; second <= 60; second++) {
    runSlots(SLOTS_PER_SECOND, message);
    if (own.isUnanswered) return second;
  }
  return undefined;
}

describe('a tunnel of ours', () => {
  it('asks about once a second whether it is heard, where nothing else waits', () => {
    const { asked, runSlots } = tunnelTo(honest);
    runSlots(60 * SLOTS_PER_SECOND);
    const probes = asked.filter((type) => type === INNER.probe);
    expect(probes.length).toBeGreaterThan(50);
    expect(probes.length).toBeLessThan(70);
    expect(asked.filter((type) => type !== INNER.probe && type !== INNER.pad)).toEqual([]);
  });

  it('takes no slot for it from data or cover', () => {
    for (const message of [() => DATA, cover]) {
      const { asked, runSlots } = tunnelTo(honest);
      runSlots(60 * SLOTS_PER_SECOND, message);
      expect(asked).not.toContain(INNER.probe);
    }
  });

  it('is content with an endpoint that echoes what it should', () => {
    expect(foundOut(honest)).toBeUndefined();
    expect(foundOut(honest, cover)).toBeUndefined();
    expect(foundOut(honest, () => DATA)).toBeUndefined();
  });

  it('bears the loss of every third echo', () => {
    expect(foundOut((asked, slot) => (slot % 3 > 0 ? honest(asked, slot) : DATA))).toBeUndefined();
  });

  it('gives an endpoint time that has data to send', () => {
    expect(foundOut(() => DATA)).toBeUndefined();
    let waiting: Uint8Array | undefined;
    const busy: Endpoint = (asked, slot) => {
      waiting = honest(asked, slot) ?? waiting;
      return slot % SLOTS_PER_SECOND === 0 ? waiting : DATA;
    };
    expect(foundOut(busy)).toBeUndefined();
  });

  it('hands on answers to PROBEs of others, and echoes of cover, but not its own', () => {
    const { own, runSlots } = tunnelTo(honest);
    const arrivals: string[] = [];
    const arrive = own.arrive.bind(own);
    own.arrive = (body) => {
      const arrival = arrive(body);
      arrivals.push(arrival.type);
      return arrival;
    };
    runSlots(100);
    expect(new Set(arrivals)).toEqual(new Set(['nothing']));
    runSlots(1, () => encodeInner(INNER.probe, NOTHING, 0)[0] ?? NOTHING);
    runSlots(100, cover);
    expect(arrivals.slice(100)).toEqual(Array(101).fill('inner'));
  });
});

describe('an endpoint that lies (attack 31)', () => {
  const altered: Endpoint = (asked, slot) => {
    const echo = honest(asked, slot);
    return echo?.with(20, (echo[20] ?? 0) ^ 1);
  };

  it.each<[string, Endpoint]>([
    ['echoes nothing', mute],
    ['alters what it echoes', altered],
    ['echoes one of three', (asked, slot) => (slot % 3 === 0 ? honest(asked, slot) : undefined)],
    ['echoes only cover', onlyTo(INNER.cover)],
  ])('and %s is found out', (_, endpoint) => {
    expect(foundOut(endpoint)).toBeLessThan(45);
  });

  it.each<[string, Endpoint]>([
    ['nothing', mute],
    ['something else', altered],
    ['only probes', onlyTo(INNER.probe)],
  ])('and echoes %s while a client covers is found out', (_, endpoint) => {
    expect(foundOut(endpoint, cover)).toBeLessThan(20);
  });

  it('is not blamed on the next hop', () => {
    const { own, runSlots } = tunnelTo(mute);
    runSlots(1000);
    expect(own.isUnanswered).toBe(true);
    own.addHop(new Uint8Array(32));
    expect(own.isUnanswered).toBe(false);
  });

  it('and repents is used again', () => {
    let isHonest = false;
    const { own, runSlots } = tunnelTo((asked, slot) =>
      isHonest ? honest(asked, slot) : undefined,
    );
    runSlots(1000);
    isHonest = true;
    runSlots(200);
    expect(own.isUnanswered).toBe(false);
  });
});
