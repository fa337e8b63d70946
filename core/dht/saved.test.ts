import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../bytes/index.ts';
import { survivesHostileBytes } from '../bytes/testing/hostile.ts';
import { sha256 } from '../crypto/index.ts';
import { openShelf } from './files-driver.ts';
import type { Held } from './holdings.ts';
import {
  decodeSavedNodes,
  decodeSavedValue,
  encodeSavedNodes,
  encodeSavedValue,
  savedName,
} from './saved.ts';
import { contact, filled, parted, record } from './testing/records.ts';

const longValue = Uint8Array.from({ length: 2500 }, (_, i) => i >> 4);
const long = parted(longValue, { form: 'content' });
const held: Held = {
  key: sha256(longValue),
  record: long.record,
  source: 'bob',
  parts: new Map(long.parts.map((bytes, index) => [index, bytes])),
  sinceMs: 0,
  dueMs: 0,
};
const own: Held = {
  ...held,
  key: filled(1),
  record: record(Uint8Array.of(1)),
  source: undefined,
  parts: new Map(),
};
const nodes = Array.from({ length: 45 }, (_, i) => contact([i]));

describe('what is kept over a restart', () => {
  it('comes back as it was', () => {
    const { key, record: one } = held;
    const saved = { key, record: one, parts: long.parts, isOwn: false };
    expect(decodeSavedValue(encodeSavedValue(held))).toEqual(saved);
    expect(decodeSavedValue(encodeSavedValue(own))).toMatchObject({ isOwn: true, parts: [] });
    expect(decodeSavedNodes(encodeSavedNodes(nodes))).toEqual(nodes);
  });

  it('is refused when a byte of it is wrong', () => {
    const bytes = encodeSavedValue(held);
    bytes[bytes.length - 1] = 1 ^ (bytes.at(-1) ?? 0);
    expect(() => decodeSavedValue(bytes)).toThrow(DecodeError);
  });

  it('survives hostile bytes', () => {
    survivesHostileBytes(decodeSavedValue, [encodeSavedValue(held), encodeSavedValue(own)]);
    survivesHostileBytes(decodeSavedNodes, [encodeSavedNodes(nodes)]);
  });

  it('stands in files, of which those that cannot be right are deleted', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'voidphone-shelf-'));
    const open = () => openShelf(folder, (error) => expect.unreachable(error.message));
    const shelf = await open();
    expect([shelf.values, shelf.contacts]).toEqual([[], []]);
    for (const one of [held, own]) shelf.keep(savedName(one), encodeSavedValue(one));
    shelf.keep('0'.repeat(64).concat('-', '0'.repeat(32)), new Uint8Array(70_000));
    shelf.keep('1'.repeat(64).concat('-', '0'.repeat(32)), Uint8Array.of(1, 2, 3));
    shelf.keepContacts(nodes);
    await shelf.flush();
    await writeFile(join(folder, 'nodes.0011.tmp'), 'half');
    const again = await open();
    expect(again.values.map(({ key }) => key)).toHaveLength(2);
    expect(again.contacts).toEqual(nodes);
    again.discard(savedName(own));
    again.discard(savedName(own));
    await again.flush();
    expect((await readdir(folder)).toSorted()).toEqual([savedName(held), 'nodes'].toSorted());
    await rm(folder, { recursive: true });
  });
});
