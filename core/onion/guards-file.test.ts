import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DecodeError, toHex } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { testHostkey } from '../identity/testing/keys.ts';
import type { Guard } from './guards.ts';
import { decodeGuards, encodeGuards, openGuardsFile } from './guards-file.ts';
import { toPeer } from './peer.ts';

function guard(name: Parameters<typeof testHostkey>[0], ip: string): Guard {
  const peer = toPeer(testHostkey(name).publicKey, { ip, port: 6301 });
  return { peer, sinceMs: 1_700_000_000_000, untilMs: 1_702_000_000_000 };
}

const GUARDS = [guard('alice', '192.0.2.1'), guard('bob', '2001:db8::1')];

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voidphone-guards-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const noFault = (error: Error): never => {
  throw error;
};

describe('guards on disk', () => {
  it('have the layout of the header comment', () => {
    const bytes = encodeGuards(GUARDS.slice(0, 1));
    expect(bytes).toHaveLength(2 + 584);
    expect(toHex(bytes.subarray(0, 36))).toBe(
      '0101' +
        '0000018bcfe56800' +
        '0000018c471afc00' +
        '00000000000000000000ffffc0000201' +
        '189d',
    );
  });

  it('come back as they were', () => {
    expect(decodeGuards(encodeGuards(GUARDS))).toEqual(GUARDS);
    expect(decodeGuards(encodeGuards([]))).toEqual([]);
  });

  it.each([
    ['another version', (bytes: Uint8Array) => bytes.fill(2, 0, 1)],
    ['more guards than there can be', (bytes: Uint8Array) => bytes.fill(13, 1, 2)],
    ['a hostkey that is none', (bytes: Uint8Array) => bytes.fill(0, 40, 60)],
    ['something behind the last', (bytes: Uint8Array) => Uint8Array.of(...bytes, 0)],
  ])('are refused with %s', (_, change) => {
    expect(() => decodeGuards(change(encodeGuards(GUARDS)))).toThrow(DecodeError);
  });

  it('survive hostile bytes', () => {
    survivesHostileBytes(decodeGuards, [encodeGuards(GUARDS)]);
  });

  it('are there after a restart, readable by their owner only', async () => {
    const path = join(folder, 'node.ini.guards');
    const first = await openGuardsFile(path, noFault);
    expect(first.saved).toEqual([]);
    first.save(GUARDS.slice(0, 1));
    first.save(GUARDS);
    await first.flush();
    expect((await openGuardsFile(path, noFault)).saved).toEqual(GUARDS);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('are not replaced when the file is damaged', async () => {
    const path = join(folder, 'node.ini.guards');
    await writeFile(path, 'something else');
    await expect(openGuardsFile(path, noFault)).rejects.toThrow(DecodeError);
  });

  it('say when they cannot be written, and write the next time', async () => {
    const faults: string[] = [];
    const file = await openGuardsFile(join(folder, 'missing', 'guards'), ({ fault }) => {
      faults.push(fault);
    });
    file.save(GUARDS);
    await file.flush();
    expect(faults).toEqual(['no such folder']);
  });
});
