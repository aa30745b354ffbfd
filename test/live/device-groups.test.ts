import { describe, expect, test } from 'vitest';
import type { GroupMembers, Membership } from '../../src/live/devices/database.ts';
import type { GroupChange } from '../../src/live/devices/device-groups.ts';
import { DeviceGroups } from '../../src/live/devices/device-groups.ts';

const FOREVER = { from: 0, to: Infinity };

type Row = readonly [groupId: string, deviceId: string, period?: Partial<Membership>];

function says(groupIds: readonly string[], ...memberships: readonly Row[]): GroupMembers {
  return {
    groupIds: new Set(groupIds),
    memberships: memberships.map(([groupId, deviceId, period]) => ({ groupId, deviceId, ...FOREVER, ...period })),
  };
}

function recorded(): { groups: DeviceGroups; changes: GroupChange[] } {
  const changes: GroupChange[] = [];
  return { groups: new DeviceGroups((change) => { changes.push(change); }), changes };
}

describe('device groups', () => {
  test('know the members of a group and the groups of a device', () => {
    const { groups, changes } = recorded();
    groups.update(['g', 'h'], says(['g', 'h'], ['g', 'a'], ['g', 'b'], ['h', 'b']), 100);
    expect([...groups.membersOf('g')]).toEqual(['a', 'b']);
    expect([...groups.groupsOf('b')]).toEqual(['g', 'h']);
    expect([...groups.groupsOf('nobody')]).toEqual([]);
    expect(groups.size).toBe(3);
    expect(changes).toEqual([{ groupId: 'g', joined: ['a', 'b'], left: [] }, { groupId: 'h', joined: ['b'], left: [] }]);
  });

  test('report what has changed, and nothing where nothing has', () => {
    const { groups, changes } = recorded();
    groups.update(['g'], says(['g'], ['g', 'a'], ['g', 'b']), 100);
    changes.length = 0;
    groups.update(['g'], says(['g'], ['g', 'b'], ['g', 'a']), 200);
    expect(changes).toEqual([]);
    expect(groups.isUnchangedSince('g', 101)).toBe(true);
    groups.update(['g'], says(['g'], ['g', 'b'], ['g', 'c']), 300);
    expect(changes).toEqual([{ groupId: 'g', joined: ['c'], left: ['a'] }]);
    expect([...groups.groupsOf('a')]).toEqual([]);
    expect(groups.isUnchangedSince('g', 300)).toBe(false);
  });

  test('begin and end memberships by the clock, the end being the first instant after', () => {
    const { groups, changes } = recorded();
    groups.update(['g'], says(['g'], ['g', 'a', { from: 200, to: 300 }], ['g', 'b', { to: 250 }]), 100);
    expect([...groups.membersOf('g')]).toEqual(['b']);
    expect(groups.nextBoundary(100)).toBe(200);
    groups.advance(199);
    expect(changes).toHaveLength(1);
    groups.advance(200);
    expect([...groups.membersOf('g')].sort()).toEqual(['a', 'b']);
    expect(groups.nextBoundary(200)).toBe(250);
    groups.advance(250);
    groups.advance(300);
    expect([...groups.membersOf('g')]).toEqual([]);
    expect(groups.nextBoundary(300)).toBe(Infinity);
    expect(changes.map(({ joined, left }) => [...joined, ...left.map((id) => `-${id}`)].join())).toEqual(['b', 'a', '-b', '-a']);
  });

  test('two memberships of one device that follow each other are one to those who watch', () => {
    const { groups, changes } = recorded();
    groups.update(['g'], says(['g'], ['g', 'a', { to: 200 }], ['g', 'a', { from: 200 }]), 100);
    changes.length = 0;
    groups.advance(200);
    expect(changes).toEqual([]);
  });

  test('a group that is gone has no members, and one that never was is not known', () => {
    const { groups, changes } = recorded();
    groups.update(['g', 'never'], says(['g'], ['g', 'a']), 100);
    expect([groups.has('g'), groups.has('never')]).toEqual([true, false]);
    groups.update(['g'], says([]), 200);
    expect(changes.at(-1)).toEqual({ groupId: 'g', joined: [], left: ['a'] });
  });

  test('one that is forgotten leaves nothing behind', () => {
    const { groups } = recorded();
    groups.update(['g'], says(['g'], ['g', 'a']), 100);
    groups.forget('g');
    expect([groups.size, groups.has('g'), [...groups.groupsOf('a')], groups.groupIds]).toEqual([0, false, [], []]);
    expect(groups.isUnchangedSince('g', 1_000)).toBe(false);
  });
});
