import { describe, expect, it } from 'vitest';
import type { IdentityKey } from '../identity/index.ts';
import { SeededRng } from '../runtime/index.ts';
import { type Candidate, Mesh } from './mesh.ts';

const MINUTE_MS = 60_000;

interface Crowd {
  readonly inbound?: number;
  readonly outbound?: number;
  scoreOf?(id: number): number;
}

/** The first ones are those we called. */
function crowd({ inbound = 0, outbound = 0, scoreOf = () => 0 }: Crowd): Candidate[] {
  return Array.from({ length: inbound + outbound }, (_, id) => ({
    id,
    key: `${id}` as IdentityKey,
    isOutbound: id < outbound,
    score: scoreOf(id),
  }));
}

function membersOf(mesh: Mesh, all: readonly Candidate[]): number[] {
  return all.filter(({ id }) => mesh.has(id)).map(({ id }) => id);
}

function newMesh(degree = 6): Mesh {
  return new Mesh({ degree, rng: new SeededRng(7) }, 0);
}

describe('the mesh', () => {
  it.each([
    [2, 2],
    [6, 6],
    [30, 6],
  ])('takes of %i neighbours %i', (neighbours, members) => {
    const mesh = newMesh();
    mesh.heartbeat(crowd({ inbound: neighbours / 2, outbound: neighbours / 2 }), 0);
    expect(mesh.size).toBe(members);
  });

  it.each([
    [1, 1],
    [2, 2],
    [6, 2],
  ])('of degree %i has at least %i whom we called', (degree, called) => {
    const mesh = newMesh(degree);
    const all = crowd({ inbound: 30, outbound: 2 });
    mesh.heartbeat(all, 0);
    expect(membersOf(mesh, all).filter((id) => id < 2)).toHaveLength(called);
    expect(mesh.size).toBe(degree);
  });

  it('takes somebody in whom we called even when there are enough', () => {
    const mesh = newMesh();
    mesh.heartbeat(crowd({ inbound: 6 }), 0);
    const all = [...crowd({ inbound: 6 }), ...crowd({ outbound: 9 }).slice(6)];
    mesh.heartbeat(all, 1000);
    expect(membersOf(mesh, all).filter((id) => id >= 6)).toHaveLength(2);
  });

  it('stays as it is between 4 and 12', () => {
    const mesh = newMesh();
    const all = crowd({ outbound: 6 });
    mesh.heartbeat(all, 0);
    mesh.leave(0);
    mesh.leave(1);
    mesh.heartbeat([...all, ...crowd({ outbound: 20 }).slice(6)], 1000);
    expect(mesh.size).toBe(4);
    mesh.leave(2);
    mesh.heartbeat(crowd({ outbound: 20 }), 2000);
    expect(mesh.size).toBe(6);
  });

  it('puts out whose score is negative, and does not take him back for a minute', () => {
    const mesh = newMesh();
    const good = crowd({ outbound: 6 });
    mesh.heartbeat(good, 0);
    const bad = crowd({ outbound: 6, scoreOf: (id) => (id < 3 ? -1 : 0) });
    mesh.heartbeat(bad, 1000);
    expect(membersOf(mesh, good)).toEqual([3, 4, 5]);
    mesh.heartbeat(good, 60_999);
    expect(membersOf(mesh, good)).toEqual([3, 4, 5]);
    mesh.heartbeat(good, 61_000);
    expect(mesh.size).toBe(6);
  });

  it('takes in two better ones a minute, as long as it is poor', () => {
    const mesh = newMesh();
    mesh.heartbeat(crowd({ outbound: 6 }), 0);
    const all = crowd({ inbound: 10, outbound: 6, scoreOf: (id) => (id < 6 ? 0 : 2) });
    const sizes = [1, 2, 3, 4, 5].map((minute) => {
      mesh.heartbeat(all, minute * MINUTE_MS);
      return mesh.size;
    });
    expect(sizes).toEqual([8, 10, 12, 12, 12]);
  });

  it('of more than twelve keeps the best, and two whom we called', () => {
    const mesh = newMesh();
    const all = crowd({ inbound: 14, outbound: 6, scoreOf: (id) => (id < 6 ? 0 : 0.01 * id) });
    mesh.heartbeat(all.slice(0, 6), 0);
    for (const minute of [1, 2, 3, 4]) mesh.heartbeat(all, minute * MINUTE_MS);
    expect(mesh.size).toBe(14);
    mesh.heartbeat(all, 4 * MINUTE_MS + 1000);
    expect(mesh.size).toBe(6);
    const members = membersOf(mesh, all);
    expect(members.filter((id) => id < 6)).toHaveLength(2);
  });

  it('takes in whom it lacks at once', () => {
    const mesh = newMesh();
    mesh.fill(crowd({ outbound: 1 }));
    expect(mesh.has(0)).toBe(true);
  });
});
