import type { PostId, UserId } from '@sns/shared/domain/id'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { LaneStore } from '@sns/shared/ports/lane-store'
import type { PostStore } from '@sns/shared/ports/post-store'
import { createCoherentCache, leastRecentlyUsed } from './coherent-cache'
import type { KeptKind } from './verify'

/** The newest ids that are kept of an author; pages below them come from SQL. */
const KEPT = 200
/** Memory of an entry beside its list. */
const ENTRY_OVERHEAD = 200
/** There is one list of authors. */
const ALL = 0

/** The newest posts of an author whose posts are merged into feeds. */
export interface AuthorPosts {
  /** Newest first. */
  readonly ids: readonly PostId[]
  /** Every post at or above it is in `ids`; 0: every post. */
  readonly floor: number
}

export interface MergedPostsDeps {
  readonly lanes: Pick<LaneStore, 'mergedAuthors' | 'lanesOf'>
  readonly posts: Pick<PostStore, 'newestIds'>
  readonly freshness: Freshness
}

export interface MergedPostsOptions {
  readonly maxBytes: number
  readonly kept?: number
}

export type MergedPosts = ReturnType<typeof createMergedPosts>

/** Posts of the authors in the `pull` and `both` lanes, for reads to merge; see `LaneStore`. */
export function createMergedPosts(
  { lanes, posts, freshness }: MergedPostsDeps,
  { maxBytes, kept = KEPT }: MergedPostsOptions,
) {
  const all = createCoherentCache<typeof ALL, readonly UserId[]>(
    { freshness },
    leastRecentlyUsed({ maxEntries: 1, maxBytes: Number.MAX_SAFE_INTEGER, bytesOf: () => 1 }),
  )
  const lists = createCoherentCache<UserId, AuthorPosts>(
    { freshness },
    leastRecentlyUsed({
      maxEntries: Math.ceil(maxBytes / ENTRY_OVERHEAD),
      maxBytes,
      bytesOf: ({ ids }) => ENTRY_OVERHEAD + 8 * ids.length,
    }),
  )
  freshness.onChange((change) => {
    if (change.kind === 'lanes') all.invalidate(ALL)
    if (change.kind === 'posts') lists.invalidate(change.author)
  })

  const keptAuthors: KeptKind = {
    name: 'list of merged authors',
    keys: all.keys,
    entries: all.entries,
    async differing(entries) {
      // Of an author who left since, a worker that died may not have told: merging them does no harm.
      const authors = new Set(entries.get(ALL) as readonly UserId[])
      const unknown = (await lanes.mergedAuthors()).filter((author) => !authors.has(author))
      // Nor of one who is on the way, whose posts are pushed too.
      const laneOf = await lanes.lanesOf(unknown)
      return unknown.some((author) => laneOf.get(author) === 'pull') ? [ALL] : []
    },
  }

  const keptLists: KeptKind = {
    name: 'posts of author',
    keys: lists.keys,
    entries: lists.entries,
    async differing(entries) {
      const wrong: UserId[] = []
      for (const [author, list] of entries as ReadonlyMap<UserId, AuthorPosts>) {
        const now = await posts.newestIds(author, kept)
        // Deleted posts stay in the list, and reads leave them out.
        const held = new Set((list as AuthorPosts).ids)
        if (now.some((id) => id >= list.floor && !held.has(id))) wrong.push(author)
      }
      return wrong
    },
  }

  return {
    kept: [keptAuthors, keptLists],

    /**
     * The authors to merge, as of the last barrier; null where they are not known. Take them when the
     * barrier is reached, before anything of the viewer is looked up: an author who left the lanes since
     * then is merged for nothing, one who left before has made the timeline stale.
     */
    authors: (): readonly UserId[] | null => all.current()?.get(ALL) ?? null,

    /** Makes the authors known to later reads. */
    async learnAuthors(): Promise<void> {
      await all.getMany([ALL], {
        stamp: undefined,
        load: async () => new Map([[ALL, await lanes.mergedAuthors()]]),
      })
    },

    /** The posts of those of `authors` whom the viewer sees. After a barrier of the same read. */
    async of(
      authors: readonly UserId[],
      isSeen: (author: UserId) => boolean,
    ): Promise<readonly AuthorPosts[]> {
      const seen = authors.filter(isSeen)
      const found = await lists.getMany(seen, { stamp: undefined, load: readLists })
      return [...found.values()]
    },
  }

  async function readLists(authors: readonly UserId[]): Promise<ReadonlyMap<UserId, AuthorPosts>> {
    const read = async (author: UserId): Promise<[UserId, AuthorPosts]> => {
      const ids = await posts.newestIds(author, kept)
      return [author, { ids, floor: ids.length < kept ? 0 : (ids.at(-1) ?? 0) }]
    }
    return new Map(await Promise.all(authors.map(read)))
  }
}
