import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalIp,
  formatAddress,
  ipFromBytes,
  ipToBytes,
  isPublic,
  netgroup,
  parseHostPort,
  subnet,
} from './address.ts';

describe('host:port', () => {
  it.each([
    ['192.0.2.1:6001', '192.0.2.1', 6001],
    ['[2001:DB8:0::1]:6001', '2001:db8::1', 6001],
    ['[::ffff:192.0.2.1]:1', '192.0.2.1', 1],
    ['localhost:0', 'localhost', 0],
    ['Relay-1.Example.org:65535', 'relay-1.example.org', 65535],
  ])('reads %s', (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ ok: { host, port } });
  });

  it.each([
    ['', 'wanted HOST:PORT'],
    ['127.0.0.1', 'wanted HOST:PORT'],
    ['127.0.0.1:', 'wanted HOST:PORT'],
    ['127.0.0.1:x', 'wanted HOST:PORT'],
    ['127.0.0.1:65536', 'a port is between 0 and 65535'],
    ['256.0.0.1:1', 'neither a name nor an address'],
    ['1.2.3:1', 'neither a name nor an address'],
    ['under score:1', 'neither a name nor an address'],
    ['-dash:1', 'neither a name nor an address'],
    [':6001', 'neither a name nor an address'],
    ['2001:db8::1:6001', 'stands in brackets'],
    ['::1', 'stands in brackets'],
    ['[127.0.0.1]:1', 'no IPv6 address'],
    ['[fe80::1%eth0]:1', 'no IPv6 address'],
  ])('says what is wrong with %j', (text, message) => {
    expect(parseHostPort(text)).toEqual({ error: expect.stringContaining(message) });
  });

  it('writes IPv6 in brackets', () => {
    expect(formatAddress({ ip: '::1', port: 7 })).toBe('[::1]:7');
    expect(formatAddress({ ip: '127.0.0.1', port: 7 })).toBe('127.0.0.1:7');
  });
});

describe('the 16 bytes of an address', () => {
  it('goes there and back for every address', () => {
    const anyAddress = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(anyAddress, (ip) => {
        const bytes = ipToBytes(ip);
        expect(bytes).toHaveLength(16);
        expect(ipFromBytes(bytes)).toBe(canonicalIp(ip));
        expect(ipToBytes(canonicalIp(ip))).toEqual(bytes);
      }),
      { seed: 1 },
    );
  });

  it('refuses to canonicalise what is no address', () => {
    for (const wrong of ['', 'localhost', '1.2.3.256', 'fe80::1%lo', '1::2::3']) {
      expect(() => canonicalIp(wrong)).toThrow(RangeError);
    }
  });
});

describe('what an address belongs to', () => {
  it.each([
    ['8.8.4.4', true],
    ['172.32.0.1', true],
    ['2606:4700::1111', true],
    ['2001:4860:4860::8888', true],
    ['0.0.0.0', false],
    ['10.1.2.3', false],
    ['100.64.0.1', false],
    ['127.0.0.1', false],
    ['169.254.169.254', false],
    ['172.31.255.255', false],
    ['192.168.1.1', false],
    ['198.19.0.1', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['::', false],
    ['::1', false],
    ['::ffff:10.0.0.1', false],
    ['64:ff9b::a00:1', false],
    ['fc00::1', false],
    ['fe80::1', false],
    ['ff02::1', false],
    ['2001:db8::1', false],
    ['2002:a00:1::', false],
    ['2001::1', false],
  ])('%s is public: %s', (ip, expected) => {
    expect(isPublic(canonicalIp(ip))).toBe(expected);
  });

  it('groups addresses by /16 and /32, subnets by /24 and /48', () => {
    expect(netgroup('10.20.30.40')).toBe(netgroup('10.20.99.99'));
    expect(netgroup('10.20.30.40')).not.toBe(netgroup('10.21.30.40'));
    expect(netgroup('2001:db8:1::1')).toBe(netgroup('2001:db8:2::2'));
    expect(netgroup('2001:db8::1')).not.toBe(netgroup('2001:db9::1'));
    expect(subnet('10.20.30.40')).toBe(subnet('10.20.30.99'));
    expect(subnet('2001:db8:1::1')).toBe(subnet('2001:db8:1:f::1'));
    expect(subnet('2001:db8:1::1')).not.toBe(subnet('2001:db8:2::1'));
  });
});
