import type { Clock } from '@sns/shared/domain/clock'
import type { PostId, UserId } from '@sns/shared/domain/id'
import type { PostBody, PublishedPost } from '@sns/shared/domain/post'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { Change, Freshness } from '@sns/shared/ports/freshness'
import type { PostStore } from '@sns/shared/ports/post-store'
import { type Post, presentPost } from '../modules/posts/schema'
import { createKnown } from './known'
import type { KeptKind } from './verify'
import type { Viewers } from './viewers'

/** Counts of others' likes and comments may trail by this much. */
const COUNTS_TRAIL_MS = 1_000
/** Names that changed are remembered so long; past it all pieces are made anew. */
const RENAMED_MAX = 10_000
/** What an entry takes beside its bytes: the objects, the key, the list. */
const ENTRY_OVERHEAD = 300
/** Posts written here that were not heard of: more than are ever on the way. */
const OWN_MAX = 10_000
/** A post that so many have liked since it was read is read again, whoever asks. */
const COUNTED_BY_MAX = 1_000

/** No user has this id. */
const NOBODY = 0 as UserId

const UTF8 = new TextEncoder()
const UTF8_TEXT = new TextDecoder()
/** What is left out of a piece. */
const END = 'false}}'

/** A post as the bytes of its JSON, all but whether its viewer liked it. */
export interface PostPiece {
  readonly authorId: UserId
  /** JSON up to and without the last value, `viewer.liked`. */
  readonly head: Uint8Array
}

interface Entry {
  /** Null: the post is not there. */
  readonly piece: PostPiece | null
  /** How many names had changed when the load began. */
  readonly names: number
  /** What was heard of its likes and comments since they were read; null: nothing. */
  counted: CountsChange | null
}

interface CountsChange {
  /** Unix milliseconds from when on the counts may not be shown any more. */
  readonly until: number
  /** Who changed them, with the number of the change: they see theirs at once. */
  readonly by: Map<UserId, number>
}

export interface WrittenPost {
  readonly body: PostBody
  /** False: it was there already. */
  readonly created: boolean
}

export interface PostPiecesDeps {
  readonly posts: Pick<PostStore, 'published'>
  readonly freshness: Freshness
  readonly viewers: Pick<Viewers, 'held'>
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'pieceLookups'>
}

export interface PostPiecesOptions {
  readonly maxBytes: number
}

export type PostPieces = ReturnType<typeof createPostPieces>

/** The pieces that pages are joined from. */
export function createPostPieces(
  { posts, freshness, viewers, clock, metrics }: PostPiecesDeps,
  { maxBytes }: PostPiecesOptions,
) {
  const known = createKnown<PostId, Entry>(
    { freshness },
    {
      maxEntries: Math.ceil(maxBytes / ENTRY_OVERHEAD),
      maxBytes,
      bytesOf: ({ piece }) => ENTRY_OVERHEAD + (piece?.head.length ?? 0),
    },
  )
  /** Reads under way, by the posts that they read. */
  const loading = new Map<PostId, Promise<void>>()
  /** Posts that were written here, until that is heard. */
  const own = new Set<PostId>()
  /** The number of the latest change of each author's name. */
  const renamedAt = new Map<UserId, number>()
  let names = 0
  let counts = 0
  /** Entries from before this many changes of names are not used. */
  let namesFrom = 0

  freshness.onChange((change: Change) => {
    if (change.kind === 'post') known.forget(change.post)
    // An id may come twice, after the post that had it was deleted.
    else if (change.kind === 'created' && !own.delete(change.post)) known.forget(change.post)
    else if (change.kind === 'author') rename(change.user)
    else if (change.kind === 'engagement') recount(change.post, change.by)
  })

  function rename(author: UserId) {
    names += 1
    if (renamedAt.size >= RENAMED_MAX) {
      renamedAt.clear()
      namesFrom = names
    }
    renamedAt.set(author, names)
  }

  function recount(post: PostId, by: UserId) {
    counts += 1
    const entry = known.peek(post)
    if (!entry || (entry.counted?.by.size ?? 0) >= COUNTED_BY_MAX) return known.forget(post)
    entry.counted ??= { until: clock.now() + COUNTS_TRAIL_MS, by: new Map() }
    entry.counted.by.set(by, counts)
  }

  /** What was heard while an entry was loaded anew: a post that many like at once is kept all the same. */
  function countedSince(post: PostId, from: number, startedAt: number): CountsChange | null {
    const by = new Map(
      [...(known.peek(post)?.counted?.by ?? [])].filter(([, number]) => number > from),
    )
    return by.size === 0 ? null : { until: startedAt + COUNTS_TRAIL_MS, by }
  }

  function isCurrent(entry: Entry, viewer: UserId, now: number): boolean {
    const { piece, counted } = entry
    if (entry.names < namesFrom) return false
    if (piece !== null && (renamedAt.get(piece.authorId) ?? 0) > entry.names) return false
    return counted === null || (now < counted.until && !counted.by.has(viewer))
  }

  /** Puts the known pieces of `ids` into `found`; returns the ids to read. */
  function takeKnown(
    viewer: UserId,
    ids: readonly PostId[],
    found: Map<PostId, PostPiece>,
  ): readonly PostId[] {
    if (!known.isBelieved()) return ids
    const now = clock.now()
    return ids.filter((id) => {
      const entry = known.peek(id)
      if (!entry || !isCurrent(entry, viewer, now)) return true
      if (entry.piece) found.set(id, entry.piece)
      return false
    })
  }

  async function load(ids: readonly PostId[], found: Map<PostId, PostPiece>): Promise<void> {
    const [namesBefore, countsBefore, startedAt] = [names, counts, clock.now()]
    await known.load(
      () => posts.published(ids),
      (published, keep) => {
        for (const post of published) found.set(post.body.id, toPiece(post))
        for (const id of ids) {
          const piece = found.get(id) ?? null
          const counted = countedSince(id, countsBefore, startedAt)
          keep(id, { piece, names: namesBefore, counted })
        }
      },
    )
  }

  const kept: KeptKind = {
    name: 'post',
    keys: known.keys,
    /** Without those whose likes or comments were heard of: they are read anew within a second. */
    entries: (ids) =>
      new Map(
        [...known.entries(ids)].filter(
          ([, entry]) => entry.counted === null && isCurrent(entry, NOBODY, clock.now()),
        ),
      ),
    async differing(entries) {
      const ids = [...entries.keys()] as PostId[]
      const published = await posts.published(ids)
      const now = new Map(published.map((post) => [post.body.id, toPiece(post)]))
      return ids.filter((id) => {
        const { piece } = entries.get(id) as Entry
        const other = now.get(id) ?? null
        if (piece === null || other === null) return piece !== other
        return piece.authorId !== other.authorId || Buffer.compare(piece.head, other.head) !== 0
      })
    },
  }

  return {
    kept,

    /**
     * Writes a post, and keeps it: nobody has to read what was just written. `write` must not announce it; do so
     * when this resolves.
     */
    async written(author: UserId, write: () => Promise<WrittenPost>): Promise<WrittenPost> {
      const namesBefore = names
      // Its name is as known at this moment: a change that is heard of later makes the piece old.
      const account = viewers.held(author)
      return known.load(write, ({ body, created }, keep) => {
        if (!account || !created) return
        const { id, username, displayName } = account
        const counts = { likes: 0, comments: 0 }
        const piece = toPiece({ body, author: { id, username, displayName }, counts })
        if (own.size >= OWN_MAX) own.clear()
        own.add(body.id)
        keep(body.id, { piece, names: namesBefore, counted: null })
      })
    },

    /**
     * The pieces of those of `ids` that are there. After a barrier of the same read. What is not known is
     * read from SQL, once for all who ask for it at the same time: they take it from what is kept, and read
     * it again where it was not kept.
     */
    async of(viewer: UserId, ids: readonly PostId[]): Promise<ReadonlyMap<PostId, PostPiece>> {
      const found = new Map<PostId, PostPiece>()
      let missing = takeKnown(viewer, ids, found)
      const hits = ids.length - missing.length
      if (hits > 0) metrics.pieceLookups.inc({ result: 'hit' }, hits)
      if (missing.length === 0) return found
      metrics.pieceLookups.inc({ result: 'miss' }, missing.length)
      const others = new Set(missing.flatMap((id) => loading.get(id) ?? []))
      if (others.size > 0) {
        await Promise.allSettled(others)
        missing = takeKnown(viewer, missing, found)
        if (missing.length === 0) return found
      }
      const reading = load(missing, found)
      for (const id of missing) loading.set(id, reading)
      try {
        await reading
      } finally {
        for (const id of missing) if (loading.get(id) === reading) loading.delete(id)
      }
      return found
    },
  }
}

/** The post of a piece again, where it must be looked into. */
export function postOf({ head }: PostPiece, liked: boolean): Post {
  const post: Post = JSON.parse(`${UTF8_TEXT.decode(head)}${liked}}}`)
  return post
}

export function toPiece(post: PublishedPost): PostPiece {
  const json = JSON.stringify(presentPost({ ...post, liked: false }))
  return { authorId: post.body.authorId, head: UTF8.encode(json.slice(0, -END.length)) }
}
