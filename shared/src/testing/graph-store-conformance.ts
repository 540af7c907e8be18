import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { FollowId, UserId } from '../domain/id'
import type { User } from '../domain/user'
import { SnsError } from '../errors/sns-error'
import type { FollowPair, GraphStore } from '../ports/graph-store'
import type { UserStore } from '../ports/user-store'
import { signUp, signUpAll } from './people'

export interface GraphStoreHarness extends AsyncDisposable {
  readonly users: UserStore
  readonly graph: GraphStore
  /** A store on the same data whose id generator always says `id`. */
  withStuckIds(id: FollowId): GraphStore
}

const NOBODY = 1 as UserId

/** What every `GraphStore` promises. The tests share one store, each with people of its own. */
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

    test('a block ends both follows, bars new ones and raises both sides', async () => {
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
      expect([await version(ann), await version(bob)]).toEqual([3, 3])
      expect(await graph.isBlockedEitherWay(ann.id, bob.id)).toBeFalse()
      expect(await followingIds(ann, ann)).toEqual([])
      await graph.follow(bob.id, ann.id)
      expect(await followerIds(ann, cem)).toEqual([bob.id])
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

    test('refuses those who are gone and oneself', async () => {
      const ann = await signUp(harness.users)
      for (const change of [graph.follow, graph.block, graph.mute]) {
        expect(await codeOf(change(ann.id, NOBODY))).toBe('not_found')
        expect(await codeOf(change(NOBODY, ann.id))).toBe('unauthenticated')
        expect(await codeOf(change(ann.id, ann.id))).toBe('self_target')
      }
      for (const change of [graph.unfollow, graph.unblock, graph.unmute]) {
        expect(await codeOf(change(ann.id, NOBODY))).toBe('done')
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

    test('pages through followers and following, latest first, to the true end', async () => {
      const [star, viewer, ...fans] = await signUpAll(
        harness.users,
        ...['star', 'viewer', 'a', 'b', 'c', 'd', 'e', 'f', 'g'],
      )
      if (!star || !viewer) throw new Error('nobody signed up')
      for (const fan of fans) {
        await graph.follow(fan.id, star.id)
        await graph.follow(viewer.id, fan.id)
      }
      const latestFirst = fans.map((fan) => fan.id).reverse()
      for (const limit of [1, 2, 3, 6, 7, 8, 100]) {
        const read = (list: 'followers' | 'following', of: User) =>
          allPages((before) => graph[list](of.id, viewer.id, { before, limit }), limit)
        expect(await read('followers', star)).toEqual(latestFirst)
        expect(await read('following', viewer)).toEqual(latestFirst)
      }
    })

    test('leaves out those on the other side of a block, without ending a page early', async () => {
      const [star, viewer, ...fans] = await signUpAll(
        harness.users,
        ...['star', 'viewer', 'a', 'b', 'c', 'd', 'e', 'f'],
      )
      if (!star || !viewer) throw new Error('nobody signed up')
      for (const fan of fans) await graph.follow(fan.id, star.id)
      const [a, b, c, d, e, f] = fans.map((fan) => fan.id) as [UserId, UserId, ...UserId[]] & {
        [index: number]: UserId
      }
      await graph.block(viewer.id, b)
      await graph.block(e as UserId, viewer.id)
      const seen = await allPages(
        (before) => graph.followers(star.id, viewer.id, { before, limit: 2 }),
        2,
      )
      expect(seen).toEqual([f, d, c, a] as UserId[])
      expect((await harness.users.findProfile(star.username, viewer.id))?.counts.followers).toBe(6)
    })

    test('hands out the followers of several authors, every one once, for any limit', async () => {
      const people = await signUpAll(harness.users, 'a', 'b', 'c', 'd', 'e')
      const expected: (readonly [UserId, UserId])[] = []
      for (const [index, author] of people.entries()) {
        for (const follower of people.slice(0, index)) {
          await graph.follow(follower.id, author.id)
          expected.push([author.id, follower.id])
        }
      }
      const authors = people.map((person) => person.id)
      await fc.assert(
        fc.asyncProperty(
          fc.shuffledSubarray(authors),
          fc.integer({ min: 1, max: 12 }),
          async (asked, limit) => {
            const pairs = await allPairs(graph, asked, limit)
            const wanted = expected.filter(([author]) => asked.includes(author))
            expect(pairs.map((pair) => [pair.author, pair.follower] as const)).toEqual(wanted)
          },
        ),
        { numRuns: 25 },
      )
      expect(await graph.followersOf([], null, 10)).toEqual([])
    })
  })
}

async function allPairs(graph: GraphStore, authors: readonly UserId[], limit: number) {
  const all: FollowPair[] = []
  for (;;) {
    const pairs = await graph.followersOf(authors, all.at(-1) ?? null, limit)
    expect(pairs.length).toBeLessThanOrEqual(limit)
    all.push(...pairs)
    if (pairs.length < limit) return all
  }
}

async function allPages(
  read: (
    before: FollowId | null,
  ) => Promise<{ readonly items: readonly User[]; readonly next: FollowId | null }>,
  limit: number,
): Promise<UserId[]> {
  const all: UserId[] = []
  let before: FollowId | null = null
  do {
    const page: { readonly items: readonly User[]; readonly next: FollowId | null } =
      await read(before)
    // A page is short only at the end.
    if (page.next !== null) expect(page.items).toHaveLength(limit)
    all.push(...page.items.map((user) => user.id))
    before = page.next
  } while (before !== null)
  return all
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'done'
  } catch (error) {
    if (error instanceof SnsError) return error.code
    throw error
  }
}
