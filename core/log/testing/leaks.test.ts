import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../bytes/index.ts';
import { createLogger, errorField, sensitive } from '../index.ts';
import { findLeaks, memorySink } from './index.ts';

const clock = { nowMs: () => 0, wallMs: () => Date.UTC(2026, 10, 21, 12, 34, 56, 789) };
const HEX = '00112233445566778899aabbccddeeff';

function found(line: string): string[] {
  return findLeaks([line]).map(({ what }) => what);
}

describe('findLeaks', () => {
  it.each([
    ['IPv4 address', 'peer 192.0.2.1 connected'],
    ['IPv4 address', 'connect ECONNREFUSED 127.0.0.1:7001.'],
    ['IPv4 address', '{"peer":"10.0.0.1"}'],
    ['IPv6 address', 'peer=[2001:db8::1]:6001'],
    ['IPv6 address', 'lost 2001:db8::1.'],
    ['IPv6 address', 'lost 2001:db8::1: refused'],
    ['IPv6 address', 'ip:::1'],
    ['IPv6 address', 'from ::ffff:192.0.2.1'],
    ['IPv6 address', 'fe80::1%eth0'],
    ['IPv6 address', '{"peer":"2001:DB8:0:1:2:3:4:5:6001"}'],
    ['hexadecimal', `key 0x${HEX}`],
    ['hexadecimal', `id=${HEX.toUpperCase()}${HEX}`],
    ['hexadecimal', `id ${HEX.replaceAll(/..(?=.)/g, '$&:')}`],
    ['hexadecimal', `<Buffer ${HEX.replaceAll(/..(?=.)/g, '$& ')}>`],
    ['base 32 or base 64', 'peer mfrggzdfmztwq2lknnwg23tpobyxe43u'],
    ['base 32 or base 64', '"key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="'],
    ['base 32 or base 64', '/var/lib/voidphone/profile1/keys/hostkey.pem'],
    ['identity', 'friend k7qd-93mf-2xaz-0b1c-9d8e'],
    ['bytes', JSON.stringify(new Uint8Array(3))],
    ['bytes', `key ${new Uint8Array(16)}`],
    ['bytes', `[${[...new Uint8Array(16)].join(', ')}]`],
    ['PEM', '-----BEGIN PRIVATE KEY-----'],
  ])('sees an %s in %s', (what, line) => {
    expect(found(line)).toContain(what);
  });

  it.each([
    '2026-11-21T12:34:56.789Z info  onion.link peer connected peer=~0a1b2c3d hops=3',
    '{"time":"2026-11-21T12:34:56.789Z","fields":{"peer":"~0a1b2c3d","hops":3,"":{"a":1}}}',
    'version 24.21.0 at 12:34:56 after 1234567890123456 ms, 100:200:300',
    'rendezvousRegistrationRefusedByEndpoint: make-before-break of a tunnel',
    'a :: b',
    'sizes 1,2,3,4,5,6,7,8 and 300.300.300.300',
  ])('sees nothing in %s', (line) => {
    expect(found(line)).toEqual([]);
  });

  it('says where and what', () => {
    expect(findLeaks(['good', 'bad 192.0.2.1, 192.0.2.2'])).toEqual([
      { line: 2, what: 'IPv4 address', text: '192.0.2.1' },
      { line: 2, what: 'IPv4 address', text: '192.0.2.2' },
    ]);
  });
});

describe('the logger', () => {
  const secret = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.uint8Array({ minLength: 32, maxLength: 32 }),
    fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex),
    fc.base64String({ minLength: 44, maxLength: 44 }),
  );

  it('leaks nothing that goes through sensitive()', () => {
    fc.assert(
      fc.property(secret, (value) => {
        const sink = memorySink();
        const error = new Error(`connect ${value}`);
        createLogger({ sink, clock, level: 'info' })
          .child('link')
          .info('peer connected', { peer: sensitive(value), error: errorField(error), hops: 3 });
        expect(findLeaks(sink.lines)).toEqual([]);
      }),
      { seed: 4 },
    );
  });

  it('would be caught if it did', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        fc.pre(address !== '::');
        expect(found(`peer connected peer=${address} hops=3`)).not.toEqual([]);
        expect(found(JSON.stringify({ peer: address }))).not.toEqual([]);
      }),
      { seed: 4 },
    );
  });
});
