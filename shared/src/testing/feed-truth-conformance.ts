import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { UserId } from '../domain/id'
import { feedTruthProperty } from './feed-truth-property'
import type { CreatePostStoreHarness, PostStoreHarness } from './post-store-harness'
import { readWholeFeed } from './whole-feed'

/** What every `PostStore` promises about feeds: they are exactly `truth(viewer)`. */
export function feedTruthConformance(create: CreatePostStoreHarness): void {
  describe('PostStore feeds', () => {
    let harness: PostStoreHarness
    beforeAll(async () => {
      harness = await create()
    })
    afterAll(async () => {
      await harness[Symbol.asyncDispose]()
    })

    const addUsers = async (count: number) => {
      const users = await Promise.all(Array.from({ length: count }, () => harness.addUser()))
      return users.map(({ id }) => id)
    }
    // The clock stands still, so that neighbours' ids differ by one.
    const write = async (authorId: UserId) => {
      const id = harness.ids.next<'post'>()
      const post = { id, authorId, text: 'x', idempotencyKey: null }
      return (await harness.posts.create(post)).body.id
    }

    test('follows, unfollows, mutes and blocks hold from the next read on', async () => {
      const [ann, bob] = (await addUsers(2)) as [UserId, UserId]
      const { graph, posts } = harness
      const [own, bobs] = [await write(ann), await write(bob)]
      const seen = () => readWholeFeed(posts, ann, [10])
      expect(await seen()).toEqual([own])
      await graph.follow(ann, bob)
      expect(await seen()).toEqual([bobs, own])
      await graph.mute(ann, bob)
      expect(await seen()).toEqual([own])
      await graph.unmute(ann, bob)
      expect(await seen()).toEqual([bobs, own])
      await graph.mute(bob, ann)
      expect(await seen()).toEqual([bobs, own])
      await graph.unfollow(ann, bob)
      expect(await seen()).toEqual([own])
      await graph.follow(ann, bob)
      await graph.block(bob, ann)
      expect(await seen()).toEqual([own])
      await graph.unblock(bob, ann)
      expect(await seen()).toEqual([own])
      await graph.follow(ann, bob)
      expect(await seen()).toEqual([bobs, own])
      await harness.users.delete(bob)
      expect(await seen()).toEqual([own])
    })

    test('has nothing for someone who follows nobody and wrote nothing', async () => {
      const [ann] = (await addUsers(1)) as [UserId]
      expect(await harness.posts.feedIds(ann, { before: null, limit: 20 })).toEqual([])
    })

    test('is whole for one who follows many, wherever their posts lie', async () => {
      const [viewer, ...others] = (await addUsers(100)) as [UserId, ...UserId[]]
      const followed = others.slice(0, 80)
      await Promise.all(followed.map((each) => harness.graph.follow(viewer, each)))
      await harness.graph.mute(viewer, followed[7]!)
      // Old posts of followees, then many posts of strangers only, then a mixture.
      const authors = [
        ...Array.from({ length: 40 }, (_, n) => followed[(n * 7) % 80]!),
        viewer,
        ...Array.from({ length: 150 }, (_, n) => others[80 + (n % 19)]!),
        ...Array.from({ length: 120 }, (_, n) => others[(n * 37) % 99]!),
      ]
      const written = await Promise.all(
        authors.map(async (author) => ({ author, id: await write(author) })),
      )
      const truth = written
        .filter(({ author }) => author === viewer || followed.includes(author))
        .filter(({ author }) => author !== followed[7])
        .map(({ id }) => id)
        .toReversed()
      expect(truth.length).toBeGreaterThan(100)
      for (const limits of [[3, 1, 9], [7, 80], [33], [truth.length], [800]]) {
        expect(await readWholeFeed(harness.posts, viewer, limits)).toEqual(truth)
      }
      for (const before of [truth[5]!, truth[60]!, truth.at(-1)!]) {
        const below = truth.filter((id) => id < before)
        expect(await harness.posts.feedIds(viewer, { before, limit: 50 })).toEqual(
          below.slice(0, 50),
        )
      }
    }, 60_000)

    feedTruthProperty(() => harness)
  })
}
