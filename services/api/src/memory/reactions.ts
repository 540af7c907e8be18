import type { PostId, UserId } from '@sns/shared/domain/id'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { PostStore } from '@sns/shared/ports/post-store'
import { createCoherentCache, leastRecentlyUsed } from './coherent-cache'
import type { KeptKind } from './verify'

/** The newest liked posts that are cached of a viewer; older ones are asked for. */
const LIKES = 1_000
/** What one id in a set takes. */
const BYTES_EACH = 32
/** What an entry takes beside what is in it. */
const ENTRY_OVERHEAD = 500

interface Liked {
  readonly posts: ReadonlySet<PostId>
  /** Likes of posts below it are not in `posts`. */
  readonly floor: number
}

export interface ReactionsDeps {
  readonly posts: Pick<PostStore, 'liked' | 'likedIds' | 'published'>
  readonly freshness: Freshness
}

export interface ReactionsOptions {
  readonly maxBytes: number
}

export type Reactions = ReturnType<typeof createReactions>

/** Which posts each viewer likes. */
export function createReactions(
  { posts, freshness }: ReactionsDeps,
  { maxBytes }: ReactionsOptions,
) {
  const cache = createCoherentCache<UserId, Liked>(
    { freshness },
    leastRecentlyUsed({
      maxEntries: Math.ceil(maxBytes / ENTRY_OVERHEAD),
      maxBytes,
      bytesOf: ({ posts }) => ENTRY_OVERHEAD + BYTES_EACH * posts.size,
    }),
  )
  freshness.onChange((change) => {
    // A process of an older version announces a like as a change of all that the viewer sees.
    if (change.kind === 'reactions' || change.kind === 'viewer') cache.invalidate(change.user)
  })

  async function read(user: UserId): Promise<Liked> {
    const newest = await posts.likedIds(user, { before: null, limit: LIKES })
    return {
      posts: new Set(newest),
      floor: newest.length < LIKES ? 0 : (newest.at(-1) ?? 0),
    }
  }

  /** Posts that are gone may still be among what is cached: no page shows them. */
  async function isSame(user: UserId, cached: Liked): Promise<boolean> {
    const now = await read(user)
    const floor = Math.max(cached.floor, now.floor)
    if ([...now.posts.difference(cached.posts)].some((post) => post >= floor)) return false
    const more = [...cached.posts.difference(now.posts)].filter((post) => post >= floor)
    return (await posts.published(more)).length === 0
  }

  const kept: KeptKind = {
    name: 'reactions',
    keys: cache.keys,
    entries: cache.entries,
    async differing(entries) {
      const wrong: UserId[] = []
      for (const [id, entry] of entries as ReadonlyMap<UserId, Liked>) {
        if (!(await isSame(id, entry))) wrong.push(id)
      }
      return wrong
    },
  }

  async function likedBy(viewer: UserId): Promise<Liked> {
    const cached = cache.current()?.get(viewer)
    if (cached) return cached
    const entries = await cache.getMany([viewer], {
      load: async () => new Map([[viewer, await read(viewer)]]),
      stamp: undefined,
    })
    return entries.get(viewer) as Liked
  }

  return {
    kept,

    /** Those of `ids` that the viewer likes. After a barrier of the same request. */
    async among(viewer: UserId, ids: readonly PostId[]): Promise<ReadonlySet<PostId>> {
      const { posts: liked, floor } = await likedBy(viewer)
      const old = ids.filter((id) => id < floor)
      return old.length === 0 ? liked : liked.union(new Set(await posts.liked(viewer, old)))
    },
  }
}
