import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { PostId, UserId } from '../domain/id'
import { isSnsError } from '../errors/sns-error'
import type { PostStoreHarness } from './post-store-harness'
import { readWholeFeed } from './whole-feed'

const USERS = 6

type Relation = 'follow' | 'unfollow' | 'block' | 'unblock' | 'mute' | 'unmute'
type Step =
  | { readonly do: Relation; readonly by: number; readonly to: number }
  | { readonly do: 'post'; readonly by: number }
  | { readonly do: 'leave'; readonly by: number }
  | { readonly do: 'delete'; readonly pick: number }
  | { readonly do: 'read'; readonly by: number; readonly limits: readonly number[] }

const person = fc.nat({ max: USERS - 1 })
const limits = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 })
const relate = (weight: number, relation: Relation) => ({
  weight,
  arbitrary: fc.record({ do: fc.constant(relation), by: person, to: person }),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  relate(12, 'follow'),
  relate(3, 'unfollow'),
  relate(2, 'block'),
  relate(2, 'unblock'),
  relate(5, 'mute'),
  relate(2, 'unmute'),
  { weight: 14, arbitrary: fc.record({ do: fc.constant('post' as const), by: person }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), by: person }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('delete' as const), pick: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), by: person, limits }) },
)

/** `truth(u)` by its definition, over plain sets. */
class Model {
  readonly live = new Set<UserId>()
  readonly posts = new Map<PostId, UserId>()
  readonly #pairs = { follow: new Set<string>(), block: new Set<string>(), mute: new Set<string>() }

  truth(viewer: UserId): readonly PostId[] {
    return [...this.posts]
      .filter(([, author]) => this.#belongs(viewer, author))
      .map(([id]) => id)
      .sort((a, b) => b - a)
  }

  feedAuthors(viewer: UserId): readonly UserId[] {
    return [...this.live].filter((author) => this.#belongs(viewer, author))
  }

  relate(relation: Relation, by: UserId, to: UserId): void {
    const { follow, block, mute } = this.#pairs
    if (relation === 'follow') {
      if (!this.#isBlocked(by, to)) follow.add(`${by} ${to}`)
    } else if (relation === 'unfollow') follow.delete(`${by} ${to}`)
    else if (relation === 'mute') mute.add(`${by} ${to}`)
    else if (relation === 'unmute') mute.delete(`${by} ${to}`)
    else if (relation === 'unblock') block.delete(`${by} ${to}`)
    else {
      block.add(`${by} ${to}`)
      follow.delete(`${by} ${to}`)
      follow.delete(`${to} ${by}`)
    }
  }

  leave(user: UserId): void {
    this.live.delete(user)
    for (const [id, author] of this.posts) if (author === user) this.posts.delete(id)
  }

  #belongs(viewer: UserId, author: UserId): boolean {
    if (author === viewer) return true
    const { follow, mute } = this.#pairs
    const pair = `${viewer} ${author}`
    return follow.has(pair) && !mute.has(pair) && !this.#isBlocked(viewer, author)
  }

  #isBlocked(a: UserId, b: UserId): boolean {
    return this.#pairs.block.has(`${a} ${b}`) || this.#pairs.block.has(`${b} ${a}`)
  }
}

/** After any sequence of actions, feeds and the check of feeds equal `truth` by its definition. */
export function feedTruthProperty(harness: () => PostStoreHarness): void {
  test('property: feeds and their check equal truth', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }),
        limits,
        (steps, last) => holds(harness(), steps, last),
      ),
      { numRuns: 15 },
    )
  }, 120_000)
}

async function holds(
  { posts, users, graph, ids, addUser }: PostStoreHarness,
  steps: readonly Step[],
  lastLimits: readonly number[],
): Promise<void> {
  const model = new Model()
  const added = await Promise.all(Array.from({ length: USERS }, () => addUser()))
  const people = added.map(({ id }) => id)
  for (const id of people) model.live.add(id)
  const written: PostId[] = []

  const check = async (viewer: UserId, limits: readonly number[]) => {
    const truth = model.truth(viewer)
    expect(await readWholeFeed(posts, viewer, limits)).toEqual(truth)
    expect(new Set(await posts.feedAuthors(viewer))).toEqual(new Set(model.feedAuthors(viewer)))
  }

  for (const each of steps) {
    if (each.do === 'delete') {
      const id = [...model.posts.keys()][each.pick % (model.posts.size || 1)]
      if (id === undefined) continue
      await posts.delete(id, model.posts.get(id)!)
      model.posts.delete(id)
      continue
    }
    const by = people[each.by]!
    if (!model.live.has(by)) continue
    if (each.do === 'read') await check(by, each.limits)
    else if (each.do === 'leave') {
      await users.delete(by)
      model.leave(by)
    } else if (each.do === 'post') {
      const post = { id: ids.next<'post'>(), authorId: by, text: 'x', idempotencyKey: null }
      const { body } = await posts.create(post)
      written.push(body.id)
      model.posts.set(body.id, by)
    } else {
      const to = people[each.to]!
      if (to === by || !model.live.has(to)) continue
      await graph[each.do](by, to).catch((error: unknown) => {
        if (!isSnsError(error, 'blocked')) throw error
      })
      model.relate(each.do, by, to)
    }
  }
  for (const viewer of model.live) await check(viewer, lastLimits)
}
