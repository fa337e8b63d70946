import { describe, expect, it } from 'vitest';
import { identityKey, type NodeDescriptor } from '../identity/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { AddressBook, type KnownNode } from './addresses.ts';
import { addressOf, testPeer, WALL_MS } from './testing/fixtures.ts';

const ANY = (): boolean => true;

function newBook({ allowPrivate = false, secret = 1 } = {}): AddressBook {
  const options = { rng: new SeededRng(5), secret: new Uint8Array(32).fill(secret), allowPrivate };
  return new AddressBook(options);
}

function keyOf(peer: NodeDescriptor): KnownNode['key'] {
  return identityKey(peer.identity);
}

/** A node of netgroup 77.7. */
function neighbourhood(number: number): NodeDescriptor {
  const address = { ip: `77.7.${number >> 8}.${number & 0xff}`, port: 6001 };
  return testPeer(number, { address });
}

/** TRIED full of nodes of one netgroup, and one of them whose place somebody else would have. */
function crowded(): { book: AddressBook; holder: NodeDescriptor } {
  const book = newBook();
  for (let number = 1; number < 2000; number++) book.confirm(neighbourhood(number), 0);
  const tested = book.chooseToProbe(({ isTried }) => isTried, 0);
  if (tested === undefined) throw new Error('no place was wanted twice');
  return { book, holder: tested.descriptor };
}

describe('the address book', () => {
  it('knows whom it was told of, and where to call', () => {
    const book = newBook();
    book.learn(testPeer(1), 'source');
    const node = book.choose(ANY, 0);
    expect(node && book.addressOf(node)).toEqual(addressOf(1));
    expect(book.choose(() => false, 0)).toBeUndefined();
  });

  it('does not call private addresses, but in test networks', () => {
    const peer = testPeer(1, { address: { ip: '127.0.0.1', port: 6001 } });
    for (const [allowPrivate, size] of [
      [false, 0],
      [true, 1],
    ] as const) {
      const book = newBook({ allowPrivate });
      book.learn(peer, 'source');
      expect(book.size).toBe(size);
    }
  });

  it('knows nobody who does not listen', () => {
    const book = newBook();
    book.learn({ ...testPeer(1), ports: { dht: 0, gossip: 0, nse: 0, onion: 0 } }, 'source');
    book.confirm({ ...testPeer(2), addresses: [] }, 0);
    expect(book.size).toBe(0);
  });

  it('attack 19: lets one source fill a quarter of NEW at most, whatever it tells', () => {
    const book = newBook();
    for (let number = 0; number < 20_000; number++) book.learn(testPeer(number), 'villain');
    expect(book.size).toBeLessThanOrEqual((256 * 32) / 4);
    expect(book.size).toBeGreaterThan(256 * 32 * 0.2);
    const before = book.size;
    for (let number = 20_000; number < 21_000; number++) book.learn(testPeer(number), 'friend');
    expect(book.size - before).toBeGreaterThan(500);
  });

  it('attack 19: lets one netgroup fill an eighth of TRIED at most', () => {
    const { book } = crowded();
    expect(book.triedSize).toBeLessThanOrEqual((64 * 32) / 8);
  });

  it('puts the same nodes elsewhere under another secret', () => {
    const places = [1, 2].map((secret) => {
      const book = newBook({ secret });
      book.learn(testPeer(1), 'source');
      return [...book.all()].map(({ place }) => place);
    });
    expect(places[0]).not.toEqual(places[1]);
  });

  it('gives a place in TRIED away only when its holder is not there any more', () => {
    const { book, holder } = crowded();
    book.probed(keyOf(holder), true, 0);
    expect(book.find(keyOf(holder))?.isTried).toBe(true);
    const again = crowded();
    again.book.probed(keyOf(again.holder), false, 0);
    expect(again.book.find(keyOf(again.holder))?.isTried).not.toBe(true);
  });

  it('gives a place in TRIED away when its holder failed three times', () => {
    const { book, holder } = crowded();
    const key = keyOf(holder);
    for (let failure = 0; failure < 3; failure++) book.failed(key, true, 0);
    for (let number = 2000; number < 6000; number++) book.confirm(neighbourhood(number), 0);
    expect(book.find(key)?.isTried).not.toBe(true);
  });

  it('is not emptied by our own network being down', () => {
    const book = newBook();
    book.confirm(testPeer(1), 0);
    for (let failure = 0; failure < 9; failure++) book.failed(keyOf(testPeer(1)), false, 0);
    expect(book.find(keyOf(testPeer(1)))?.failures).toBe(0);
  });

  it('calls one who did not answer again after 12 s, and then ever later', () => {
    const book = newBook();
    book.learn(testPeer(1), 'source');
    const key = keyOf(testPeer(1));
    const dueAfterMs = [0, 1, 2, 3, 4, 5, 6, 7].map(() => {
      book.failed(key, true, 0);
      return book.find(key)?.retryMs;
    });
    expect(dueAfterMs).toEqual([12, 24, 48, 96, 192, 384, 600, 600].map((s) => s * 1000));
    expect(book.choose(ANY, 599_999)).toBeUndefined();
    expect(book.choose(ANY, 600_000)).toBeDefined();
  });

  it('tries another address of a node after each failure', () => {
    const book = newBook();
    const [first, second] = [addressOf(1), addressOf(2)];
    const addresses = [first, second].map((address) => ({ transport: 'tcp' as const, ...address }));
    const descriptor = { ...testPeer(1), addresses };
    expect([0, 1, 2].map((failures) => book.addressOf({ descriptor, failures }))).toEqual([
      first,
      second,
      first,
    ]);
  });

  it('chooses half of the time one that was reached before', () => {
    const book = newBook();
    book.confirm(testPeer(0), 0);
    for (let number = 1; number < 100; number++) book.learn(testPeer(number), 'source');
    const chosen = Array.from({ length: 400 }, () => book.choose(ANY, 0));
    const tried = chosen.filter((node) => node?.isTried === true).length;
    expect(tried).toBeGreaterThan(160);
    expect(tried).toBeLessThan(240);
  });

  it('takes the newer of two descriptors', () => {
    const book = newBook();
    for (const serial of [2, 1, 3]) book.learn(testPeer(1, { serial }), 'source');
    expect([...book.all()].map(({ descriptor }) => descriptor.serial)).toEqual([3]);
  });

  it('has not reached a node any more that has moved', () => {
    const book = newBook();
    book.confirm(testPeer(1), 0);
    book.learn(testPeer(1, { serial: 2 }), 'source');
    expect(book.find(keyOf(testPeer(1)))?.isTried).toBe(true);
    book.learn(testPeer(1, { serial: 3, address: addressOf(9) }), 'source');
    expect(book.find(keyOf(testPeer(1)))?.isTried).toBe(false);
    expect([book.size, book.triedSize]).toEqual([1, 0]);
  });

  it.each([
    [3, 3],
    [20, 8],
    [100, 23],
    [1000, 32],
  ])('of %i nodes tells %i', (known, told) => {
    const book = newBook();
    for (let number = 0; book.size < known; number++) book.learn(testPeer(number), `${number}`);
    expect(book.sample()).toHaveLength(told);
  });

  it('tells nobody of nodes that do not answer', () => {
    const book = newBook();
    for (const number of [1, 2]) book.learn(testPeer(number), 'source');
    for (let failure = 0; failure < 3; failure++) book.failed(keyOf(testPeer(1)), true, 0);
    expect(book.sample()).toEqual([testPeer(2)]);
  });

  it('forgets descriptors that have run out', () => {
    const book = newBook();
    book.learn(testPeer(1), 'source');
    book.confirm(testPeer(2), 0);
    book.expire(WALL_MS + 70 * 3_600_000);
    expect(book.size).toBe(2);
    book.expire(WALL_MS + 72 * 3_600_000);
    expect([book.size, book.triedSize]).toEqual([0, 0]);
  });
});
