import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { FollowId, UserId } from '../domain/id'
import type { Page } from '../domain/page'
import type { User } from '../domain/user'
import type { FollowPair, GraphStore, RelationshipKey } from '../ports/graph-store'
import type { GraphStoreHarness } from './graph-store-conformance'
import { signUpAll } from './people'

/** What every `GraphStore` promises of its lists. The tests share one store. */
export function graphListConformance(
  create: () => Promise<Omit<GraphStoreHarness, 'withStuckIds'>>,
): void {
  describe('GraphStore lists', () => {
    let harness: Omit<GraphStoreHarness, 'withStuckIds'>
    let graph: GraphStore

    beforeAll(async () => {
      harness = await create()
      graph = harness.graph
    })
    afterAll(() => harness[Symbol.asyncDispose]())

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
          allPages<FollowId>((before) => graph[list](of.id, viewer.id, { before, limit }), limit)
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
      const seen = await allPages<FollowId>(
        (before) => graph.followers(star.id, viewer.id, { before, limit: 2 }),
        2,
      )
      expect(seen).toEqual([f, d, c, a] as UserId[])
      expect((await harness.users.findProfile(star.username, viewer.id))?.counts.followers).toBe(6)
    })

    test.each(['blocks', 'mutes'] as const)(
      'pages through %s, latest first, to the true end',
      async (list) => {
        const [me, ...others] = await signUpAll(
          harness.users,
          ...['me', 'a', 'b', 'c', 'd', 'e', 'f'],
        )
        if (!me) throw new Error('nobody signed up')
        const add = list === 'blocks' ? graph.block : graph.mute
        // Neither by id nor by name; the last two within one millisecond.
        const order = [2, 0, 1, 5, 3, 4].map((at) => others[at]!.id)
        for (const [at, id] of order.entries()) {
          await add(me.id, id)
          if (at < 4) harness.clock.advance(1)
        }
        for (const limit of [1, 2, 3, 5, 6, 7, 100]) {
          const seen = await allPages<RelationshipKey>(
            (before) => graph[list](me.id, { before, limit }),
            limit,
          )
          expect(seen).toEqual(order.toReversed())
        }
        expect((await graph[list](others[0]!.id, { before: null, limit: 10 })).items).toEqual([])
      },
    )

    test('lists users who block back among blocks, and no blocked user among mutes', async () => {
      const [me, a, b] = await signUpAll(harness.users, 'me', 'a', 'b')
      await graph.block(me.id, a.id)
      await graph.block(a.id, me.id)
      await graph.mute(me.id, b.id)
      const first = { before: null, limit: 10 }
      expect((await graph.blocks(me.id, first)).items).toEqual([a])
      expect((await graph.mutes(me.id, first)).items).toEqual([b])
      await graph.block(b.id, me.id)
      expect((await graph.mutes(me.id, first)).items).toEqual([])
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
      // The author at `index` has so many followers; nobody else has any.
      const nobody = (2 ** 50) as UserId
      for (const limit of [1, 3, 9]) {
        const few = await graph.withFewerFollowers([...authors, nobody], limit)
        expect(few).toEqual([...authors.slice(0, limit), nobody])
      }
      expect(await graph.withFewerFollowers([], 3)).toEqual([])
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

async function allPages<Key>(
  read: (before: Key | null) => Promise<Page<User, Key>>,
  limit: number,
): Promise<UserId[]> {
  const all: UserId[] = []
  let before: Key | null = null
  do {
    const page: Page<User, Key> = await read(before)
    // A page is short only at the end.
    if (page.next !== null) expect(page.items).toHaveLength(limit)
    all.push(...page.items.map((user) => user.id))
    before = page.next
  } while (before !== null)
  return all
}
