import type { UserId } from '@sns/shared/domain/id'
import type { Freshness } from '@sns/shared/ports/freshness'
import type { GraphStore } from '@sns/shared/ports/graph-store'
import type { PostStore } from '@sns/shared/ports/post-store'
import type { UserStore } from '@sns/shared/ports/user-store'
import type { KeptKind } from './verify'
import { createVersionedCache, type Versioned, type Viewer } from './versioned-cache'
import type { Viewers } from './viewers'

/** What one id in a set takes. */
const BYTES_EACH = 32
/** The share of those whom a block hides: most people have few. */
const HIDDEN_SHARE = 0.2

export interface RelationsDeps {
  readonly users: Pick<UserStore, 'findAccount'>
  readonly posts: Pick<PostStore, 'feedAuthors'>
  readonly graph: Pick<GraphStore, 'blockedEitherWay'>
  readonly viewers: Pick<Viewers, 'held'>
  readonly freshness: Freshness
}

export interface RelationsOptions {
  readonly maxBytes: number
}

export type Relations = ReturnType<typeof createRelations>

/** Whose posts the pages of a viewer show: whom they follow and do not mute, and whom a block hides. */
export function createRelations(
  { users, posts, graph, viewers, freshness }: RelationsDeps,
  { maxBytes }: RelationsOptions,
) {
  const authors = createVersionedCache<ReadonlySet<UserId>>(
    { freshness },
    {
      maxBytes: maxBytes * (1 - HIDDEN_SHARE),
      bytesOf: (users) => BYTES_EACH * users.size,
      read: readAuthors,
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

  async function readAuthors(user: UserId): Promise<ReadonlySet<UserId>> {
    return new Set(await posts.feedAuthors(user))
  }

  async function readHidden(user: UserId): Promise<ReadonlySet<UserId>> {
    return new Set(await graph.blockedEitherWay(user))
  }

  /** People who are gone may still be in what is kept: they have no posts to show or to hide. */
  function isSame(read: (user: UserId) => Promise<ReadonlySet<UserId>>) {
    return async (user: UserId, kept: ReadonlySet<UserId>): Promise<boolean> => {
      const now = await read(user)
      if (now.difference(kept).size > 0) return false
      const gone = await Promise.all([...kept.difference(now)].map(users.findAccount))
      return gone.every((account) => account === null)
    }
  }

  /** An entry of another version than the account that is kept answers nobody. */
  function keptKind(
    name: string,
    cache: Pick<KeptKind, 'keys' | 'entries'>,
    isSame: (user: UserId, kept: ReadonlySet<UserId>) => Promise<boolean>,
  ): KeptKind {
    return {
      name,
      keys: cache.keys,
      entries: cache.entries,
      async differing(entries) {
        const wrong: UserId[] = []
        for (const [id, entry] of entries as ReadonlyMap<UserId, Versioned<ReadonlySet<UserId>>>) {
          if (viewers.held(id)?.graphVersion !== entry.graphVersion) continue
          if (!(await isSame(id, entry.value))) wrong.push(id)
        }
        return wrong
      },
    }
  }

  return {
    kept: [
      keptKind('feed authors', authors, isSame(readAuthors)),
      keptKind('hidden from viewer', hidden, isSame(readHidden)),
    ],

    /** Those whose posts are in the viewer's feed: the viewer too. After a barrier of the same request. */
    feedAuthors: (viewer: Viewer): Promise<ReadonlySet<UserId>> => authors.of(viewer),

    /** Whom a block in either direction hides from the viewer. After a barrier of the same request. */
    hiddenFrom: (viewer: Viewer): Promise<ReadonlySet<UserId>> => hidden.of(viewer),
  }
}
