import type { PostId, UserId } from '@sns/shared/domain/id'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import type { KeptKind } from './verify'
import { createVersionedCache, type Versioned, type Viewer } from './versioned-cache'
import type { Viewers } from './viewers'

/** The newest liked posts that are kept of a viewer; older ones are asked for. */
const LIKES = 1_000
/** What one id in a set takes. */
const BYTES_EACH = 32
/** The share of those whom a block hides: most people have few. */
const HIDDEN_SHARE = 0.2

/** Whose posts a viewer sees, and which posts they like. */
export interface FeedView {
  /** Those whose posts are in the feed: the viewer too. */
  readonly authors: ReadonlySet<UserId>
  readonly likes: ReadonlySet<PostId>
  /** Likes of posts below it are not in `likes`. */
  readonly likesFloor: number
}

export interface RelationsDeps {
  readonly users: Pick<UserStore, 'findAccount'>
  readonly posts: Pick<PostStore, 'feedAuthors' | 'likedIds' | 'published'>
  readonly graph: Pick<GraphStore, 'blockedEitherWay'>
  readonly viewers: Pick<Viewers, 'held'>
  readonly freshness: Freshness
}

export interface RelationsOptions {
  readonly maxBytes: number
}

export type Relations = ReturnType<typeof createRelations>

/** What the pages of a viewer depend on beside the posts: whom they see, what they like, whom a block hides. */
export function createRelations(
  { users, posts, graph, viewers, freshness }: RelationsDeps,
  { maxBytes }: RelationsOptions,
) {
  const views = createVersionedCache<FeedView>(
    { freshness },
    {
      maxBytes: maxBytes * (1 - HIDDEN_SHARE),
      bytesOf: ({ authors, likes }) => BYTES_EACH * (authors.size + likes.size),
      read: readView,
    },
  )
  const hidden = createVersionedCache<ReadonlySet<UserId>>(
    { freshness },
    {
      maxBytes: maxBytes * HIDDEN_SHARE,
      bytesOf: (users) => BYTES_EACH * users.size,
      read: readHidden,
    },
  )

  async function readView(user: UserId): Promise<FeedView> {
    const [authors, likes] = await Promise.all([
      posts.feedAuthors(user),
      posts.likedIds(user, { before: null, limit: LIKES }),
    ])
    return {
      authors: new Set(authors),
      likes: new Set(likes),
      likesFloor: likes.length < LIKES ? 0 : (likes.at(-1) ?? 0),
    }
  }

  async function readHidden(user: UserId): Promise<ReadonlySet<UserId>> {
    return new Set(await graph.blockedEitherWay(user))
  }

  /** Authors and posts that are gone may still be in what is kept: no page shows them. */
  async function isSameView(user: UserId, kept: FeedView): Promise<boolean> {
    const now = await readView(user)
    const floor = Math.max(kept.likesFloor, now.likesFloor)
    if (now.authors.difference(kept.authors).size > 0) return false
    if ([...now.likes.difference(kept.likes)].some((post) => post >= floor)) return false
    const authors = await Promise.all(
      [...kept.authors.difference(now.authors)].map(users.findAccount),
    )
    const likes = [...kept.likes.difference(now.likes)].filter((post) => post >= floor)
    return authors.every((author) => author === null) && (await posts.published(likes)).length === 0
  }

  /** People who are gone may still be in what is kept: they have no posts to hide. */
  async function isSameHidden(user: UserId, kept: ReadonlySet<UserId>): Promise<boolean> {
    const now = await readHidden(user)
    if (now.difference(kept).size > 0) return false
    const gone = await Promise.all([...kept.difference(now)].map(users.findAccount))
    return gone.every((account) => account === null)
  }

  /** An entry of another version than the account that is kept answers nobody. */
  function keptKind<Value>(
    name: string,
    cache: Pick<KeptKind, 'keys' | 'entries'>,
    isSame: (user: UserId, kept: Value) => Promise<boolean>,
  ): KeptKind {
    return {
      name,
      keys: cache.keys,
      entries: cache.entries,
      async differing(entries) {
        const wrong: UserId[] = []
        for (const [id, entry] of entries as ReadonlyMap<UserId, Versioned<Value>>) {
          if (viewers.held(id)?.graphVersion !== entry.graphVersion) continue
          if (!(await isSame(id, entry.value))) wrong.push(id)
        }
        return wrong
      },
    }
  }

  return {
    kept: [
      keptKind('feed view', views, isSameView),
      keptKind('hidden from viewer', hidden, isSameHidden),
    ],

    /** What the viewer's feed is made of. After a barrier of the same request. */
    feedView: (viewer: Viewer): Promise<FeedView> => views.of(viewer),

    /** Whom a block in either direction hides from the viewer. After a barrier of the same request. */
    hiddenFrom: (viewer: Viewer): Promise<ReadonlySet<UserId>> => hidden.of(viewer),
  }
}
