import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { FollowId, UserId } from '../domain/id'
import type { User } from '../domain/user'
import type { GraphStore } from '../ports/graph-store'
import type { UserStore } from '../ports/user-store'
import { codeOf } from './error-code'
import type { ManualClock } from './manual-clock'
import { signUp, signUpAll } from './people'

export interface GraphStoreHarness extends AsyncDisposable {
  readonly users: UserStore
  readonly graph: GraphStore
  readonly clock: ManualClock
  /** A store on the same data whose id generator always says `id`. */
  withStuckIds(id: FollowId): GraphStore
}

const NOBODY = 1 as UserId

/**
 * What every `GraphStore` promises of changes; graph-list-conformance of reading. The tests share one
 * store, each with people of its own.
 */
export function graphStoreConformance(create: () => Promise<GraphStoreHarness>): void {
  describe('GraphStore', () => {
    let harness: GraphStoreHarness
    let graph: GraphStore

    beforeAll(async () => {
      harness = await create()
      graph = harness.graph
    })
    afterAll(() => harness[Symbol.asyncDispose]())

    const version = async (user: User) =>
      (await harness.users.findAccount(user.id))?.graphVersion ?? -1
    const followerIds = async (of: User, viewer: User) =>
      (await graph.followers(of.id, viewer.id, { before: null, limit: 100 })).items.map((u) => u.id)
    const followingIds = async (of: User, viewer: User) =>
      (await graph.following(of.id, viewer.id, { before: null, limit: 100 })).items.map((u) => u.id)

    test('follows and unfollows, and raises the follower only, and only on change', async () => {
      const [ann, bob] = await signUpAll(harness.users, 'ann', 'bob')
      await graph.follow(ann.id, bob.id)
      await graph.follow(ann.id, bob.id)
      expect(await followingIds(ann, ann)).toEqual([bob.id])
      expect(await followerIds(bob, ann)).toEqual([ann.id])
      expect(await followingIds(bob, bob)).toEqual([])
      expect([await version(ann), await version(bob)]).toEqual([1, 0])
      await graph.unfollow(ann.id, bob.id)
      await graph.unfollow(ann.id, bob.id)
      expect(await followingIds(ann, ann)).toEqual([])
      expect([await version(ann), await version(bob)]).toEqual([2, 0])
    })

    test('a block ends both follows, bars new ones and raises who lost a follow', async () => {
      const [ann, bob, cem] = await signUpAll(harness.users, 'ann', 'bob', 'cem')
      await graph.follow(ann.id, bob.id)
      await graph.follow(bob.id, ann.id)
      await graph.follow(cem.id, bob.id)
      await graph.block(ann.id, bob.id)
      await graph.block(ann.id, bob.id)
      expect(await followingIds(ann, cem)).toEqual([])
      expect(await followerIds(ann, cem)).toEqual([])
      expect(await followerIds(bob, cem)).toEqual([cem.id])
      expect([await version(ann), await version(bob)]).toEqual([2, 2])
      expect(await codeOf(graph.follow(ann.id, bob.id))).toBe('blocked')
      expect(await codeOf(graph.follow(bob.id, ann.id))).toBe('blocked')
      for (const [a, b] of [[ann, bob] as const, [bob, ann] as const]) {
        expect(await graph.isBlockedEitherWay(a.id, b.id)).toBeTrue()
        expect(await graph.blockedEitherWay(a.id)).toEqual([b.id])
      }
      expect(await graph.isBlockedEitherWay(ann.id, cem.id)).toBeFalse()
      await graph.unblock(ann.id, bob.id)
      await graph.unblock(ann.id, bob.id)
      expect([await version(ann), await version(bob)]).toEqual([2, 2])
      expect(await graph.isBlockedEitherWay(ann.id, bob.id)).toBeFalse()
      expect(await followingIds(ann, ann)).toEqual([])
      await graph.follow(bob.id, ann.id)
      expect(await followerIds(ann, cem)).toEqual([bob.id])
    })

    test('a block by a stranger leaves the timeline of whom it is about alone', async () => {
      const [ann, bob, cem] = await signUpAll(harness.users, 'ann', 'bob', 'cem')
      await graph.follow(bob.id, cem.id)
      for (let round = 0; round < 3; round++) {
        await graph.block(ann.id, bob.id)
        await graph.unblock(ann.id, bob.id)
      }
      expect([await version(ann), await version(bob)]).toEqual([0, 1])
      await graph.follow(bob.id, ann.id)
      await graph.block(ann.id, bob.id)
      expect([await version(ann), await version(bob)]).toEqual([0, 3])
    })

    test('blocks in both directions are two blocks', async () => {
      const [ann, bob] = await signUpAll(harness.users, 'ann', 'bob')
      await graph.block(ann.id, bob.id)
      await graph.block(bob.id, ann.id)
      expect(await graph.blockedEitherWay(ann.id)).toEqual([bob.id])
      await graph.unblock(ann.id, bob.id)
      expect(await graph.isBlockedEitherWay(ann.id, bob.id)).toBeTrue()
      await graph.unblock(bob.id, ann.id)
      expect(await graph.isBlockedEitherWay(ann.id, bob.id)).toBeFalse()
    })

    test('mutes raise the muter only, and only on change', async () => {
      const [ann, bob] = await signUpAll(harness.users, 'ann', 'bob')
      await graph.follow(ann.id, bob.id)
      await graph.mute(ann.id, bob.id)
      await graph.mute(ann.id, bob.id)
      expect([await version(ann), await version(bob)]).toEqual([2, 0])
      expect(await followingIds(ann, ann)).toEqual([bob.id])
      await graph.unmute(ann.id, bob.id)
      await graph.unmute(ann.id, bob.id)
      expect([await version(ann), await version(bob)]).toEqual([3, 0])
    })

    test('tells whether there was something to undo, and who blocked whom', async () => {
      const [ann, bob] = await signUpAll(harness.users, 'ann', 'bob')
      const pairs = [
        [graph.follow, graph.unfollow],
        [graph.mute, graph.unmute],
        [graph.block, graph.unblock],
      ] as const
      for (const [make, undo] of pairs) {
        expect(await undo(ann.id, bob.id)).toBeFalse()
        await make(ann.id, bob.id)
        expect(await undo(bob.id, ann.id)).toBeFalse()
        expect(await undo(ann.id, bob.id)).toBeTrue()
        expect(await undo(ann.id, bob.id)).toBeFalse()
      }
      await graph.block(ann.id, bob.id)
      expect(await graph.isBlockedBy(bob.id, ann.id)).toBeTrue()
      expect(await graph.isBlockedBy(ann.id, bob.id)).toBeFalse()
    })

    test('refuses those who are gone and oneself', async () => {
      const ann = await signUp(harness.users)
      for (const change of [graph.follow, graph.block, graph.mute]) {
        expect(await codeOf(change(ann.id, NOBODY))).toBe('not_found')
        expect(await codeOf(change(NOBODY, ann.id))).toBe('unauthenticated')
        expect(await codeOf(change(ann.id, ann.id))).toBe('self_target')
      }
      for (const change of [graph.unfollow, graph.unblock, graph.unmute]) {
        expect(await change(ann.id, NOBODY)).toBeFalse()
      }
      expect(await version(ann)).toBe(0)
    })

    test('never leaves a follow across a block that comes at the same time', async () => {
      for (let round = 0; round < 20; round++) {
        const [ann, bob] = await signUpAll(harness.users, 'ann', 'bob')
        await Promise.all([
          codeOf(graph.follow(ann.id, bob.id)),
          codeOf(graph.follow(bob.id, ann.id)),
          round % 2 ? graph.block(ann.id, bob.id) : graph.block(bob.id, ann.id),
          codeOf(graph.follow(ann.id, bob.id)),
        ])
        expect(await followingIds(ann, ann)).toEqual([])
        expect(await followingIds(bob, bob)).toEqual([])
        expect(await graph.followersOf([ann.id, bob.id], null, 10)).toEqual([])
      }
    })

    test('makes one follow of 30 at once and raises once', async () => {
      const [ann, bob] = await signUpAll(harness.users, 'ann', 'bob')
      await Promise.all(Array.from({ length: 30 }, () => graph.follow(ann.id, bob.id)))
      expect(await version(ann)).toBe(1)
      expect(await followerIds(bob, bob)).toEqual([ann.id])
    })

    test('bears everyone following everyone at once', async () => {
      const people = await signUpAll(harness.users, 'a', 'b', 'c', 'd', 'e', 'f')
      const pairs = people.flatMap((a) => people.filter((b) => b !== a).map((b) => [a, b] as const))
      await Promise.all(pairs.map(([a, b]) => graph.follow(a.id, b.id)))
      for (const person of people) {
        expect(await version(person)).toBe(5)
        expect(await followerIds(person, person)).toHaveLength(5)
      }
    })

    test('leaves no follow of an account that is deleted at the same time', async () => {
      for (let round = 0; round < 10; round++) {
        const [ann, bob] = await signUpAll(harness.users, 'ann', 'bob')
        await Promise.all([
          codeOf(graph.follow(ann.id, bob.id)),
          harness.users.delete(bob.id),
          codeOf(graph.follow(bob.id, ann.id)),
        ])
        expect(await graph.followersOf([ann.id, bob.id], null, 10)).toEqual([])
        expect((await harness.users.findProfile(ann.username, ann.id))?.counts).toEqual({
          followers: 0,
          following: 0,
          posts: 0,
        })
      }
    })

    test('gives every follow an id of its own where the generator repeats one', async () => {
      const [star, ...fans] = await signUpAll(harness.users, 'star', 'a', 'b', 'c', 'd')
      const stuck = harness.withStuckIds((2 ** 52) as FollowId)
      await Promise.all(fans.map((fan) => stuck.follow(fan.id, star.id)))
      const pairs = await graph.followersOf([star.id], null, 10)
      expect(new Set(pairs.map((pair) => pair.followId)).size).toBe(4)
      expect(new Set(pairs.map((pair) => pair.follower))).toEqual(new Set(fans.map((f) => f.id)))
    })
  })
}
