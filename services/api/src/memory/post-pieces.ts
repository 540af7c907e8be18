import type { Clock } from '@sns/shared/domain/clock'
import type { PostId, UserId } from '@sns/shared/domain/id'
import type { PostBody, PublishedPost } from '@sns/shared/domain/post'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { Change, Freshness } from '@sns/shared/ports/freshness'
import type { PostStore } from '@sns/shared/ports/post-store'
import { type Post, presentPost } from '../modules/posts/schema'
import { createCoherentCache } from './coherent-cache'
import { createPieceCache, isSameEntry, type PieceEntry, type PostPiece } from './piece-cache'
import type { KeptKind } from './verify'
import type { Viewers } from './viewers'

/** Counts of others' likes and comments may trail by this much. */
const COUNTS_TRAIL_MS = 1_000
/** Names that changed are remembered so long; past it all pieces are made anew. */
const RENAMED_MAX = 10_000
/** Posts written here that were not heard of: more than are ever on the way. */
const OWN_MAX = 10_000
/** A post that so many have liked since it was read is read again, whoever asks. */
const COUNTED_BY_MAX = 1_000
/** So many posts may have been liked since they were read; past it, all of these are read again. */
const COUNTED_MAX = 10_000

/** No user has this id. */
const NOBODY = 0 as UserId

/** How a piece ends: as for a viewer who does not like the post, and as an item that is not the last. */
export const NOT_LIKED = Buffer.from('false}},')
export const LIKED = Buffer.from('true}},')

/** What was heard of the likes and comments of a post since they were read. */
interface CountsChange {
  /** Unix milliseconds from when on the counts may not be shown any more. */
  readonly until: number
  /** Who changed them, with the number of the change: they see theirs at once. */
  readonly by: Map<UserId, number>
}

/** What had been heard when a read of posts began. */
interface ReadStart {
  /** How many names had changed. */
  readonly names: number
  /** How many likes and comments had been heard of. */
  readonly counts: number
  /** Unix milliseconds. */
  readonly at: number
}

/** What stands before and after the text in a piece. */
const TEXT = Buffer.from('"text":')
const ENTITIES = Buffer.from(',"entities":')

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
  const cache = createCoherentCache<PostId, PieceEntry, ReadStart>(
    { freshness },
    createPieceCache({ maxBytes }),
  )
  const hits = metrics.pieceLookups.tally({ result: 'hit' })
  const misses = metrics.pieceLookups.tally({ result: 'miss' })
  /** Posts that were liked or commented on since they were read. */
  const counted = new Map<PostId, CountsChange>()
  /** Posts that were written here, until that is heard. */
  const own = new Set<PostId>()
  /** The number of the latest change of each author's name. */
  const renamedAt = new Map<UserId, number>()
  let names = 0
  let counts = 0
  /** Entries from before this many changes of names are not used. */
  let namesFrom = 0

  freshness.onChange((change: Change) => {
    if (change.kind === 'post') cache.invalidate(change.post)
    // An id may come twice, after the post that had it was deleted.
    else if (change.kind === 'created' && !own.delete(change.post)) cache.invalidate(change.post)
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
    if (counted.size >= COUNTED_MAX) {
      for (const each of counted.keys()) cache.invalidate(each)
      counted.clear()
    }
    let change = counted.get(post)
    const isHere = cache.isLoading(post) || cache.current()?.peek(post) !== undefined
    if (!isHere || (change?.by.size ?? 0) >= COUNTED_BY_MAX) {
      counted.delete(post)
      return cache.invalidate(post)
    }
    if (!change) {
      change = { until: clock.now() + COUNTS_TRAIL_MS, by: new Map() }
      counted.set(post, change)
    }
    change.by.set(by, counts)
  }

  /** What was heard while a post was read stays: one that many like at once is cached all the same. */
  function carryCountChanges(post: PostId, start: ReadStart): void {
    const heard = [...(counted.get(post)?.by ?? [])].filter(([, number]) => number > start.counts)
    counted.delete(post)
    if (heard.length === 0) return
    counted.set(post, { until: start.at + COUNTS_TRAIL_MS, by: new Map(heard) })
  }

  function isCurrent(post: PostId, entry: PieceEntry, viewer: UserId, now: number): boolean {
    const { piece, names: readAt } = entry
    if (readAt < namesFrom) return false
    if (readAt < names && piece && (renamedAt.get(piece.authorId) ?? 0) > readAt) return false
    const change = counted.size === 0 ? undefined : counted.get(post)
    return change === undefined || (now < change.until && !change.by.has(viewer))
  }

  /** Whether a read that began then serves a viewer who asks now: as a piece of it would, had it been cached. */
  function isReadCurrent(start: ReadStart, post: PostId, viewer: UserId, now: number): boolean {
    if (start.names !== names) return false
    const change = counted.size === 0 ? undefined : counted.get(post)
    if (change === undefined) return true
    return now < start.at + COUNTS_TRAIL_MS && (change.by.get(viewer) ?? 0) <= start.counts
  }

  async function readPosts(
    ids: readonly PostId[],
    start: ReadStart,
  ): Promise<ReadonlyMap<PostId, PieceEntry>> {
    const published = await posts.published(ids)
    const byId = new Map(published.map((post) => [post.body.id, toPiece(post)]))
    return new Map(ids.map((id) => [id, { piece: byId.get(id) ?? null, names: start.names }]))
  }

  const kept: KeptKind = {
    name: 'post',
    keys: cache.keys,
    /** Without those whose likes or comments were heard of: they are read anew within a second. */
    entries: (ids) =>
      new Map(
        [...cache.entries(ids)].filter(
          ([id, entry]) => !counted.has(id) && isCurrent(id, entry, NOBODY, clock.now()),
        ),
      ),
    isSame: isSameEntry,
    async differing(entries) {
      const ids = [...entries.keys()] as PostId[]
      const published = await posts.published(ids)
      const now = new Map(published.map((post) => [post.body.id, toPiece(post)]))
      return ids.filter((id) => {
        const { piece } = entries.get(id) as PieceEntry
        const other = now.get(id) ?? null
        if (piece === null || other === null) return piece !== other
        return piece.authorId !== other.authorId || !bytesOf(piece).equals(bytesOf(other))
      })
    },
  }

  return {
    kept,

    /**
     * Writes a post under the id that it is meant to have, and caches it: nobody has to read what was just written.
     * `write` must not announce it; do so when this resolves.
     */
    async written(
      { id, authorId }: { readonly id: PostId; readonly authorId: UserId },
      write: () => Promise<WrittenPost>,
    ): Promise<WrittenPost> {
      const namesBefore = names
      // Its name is as known at this moment: a change that is heard of later makes the piece old.
      const account = viewers.held(authorId)
      return cache.writeThrough(id, write, {
        entryOf({ body, created }) {
          if (!account || !created || body.id !== id) return null
          const author = {
            id: account.id,
            username: account.username,
            displayName: account.displayName,
          }
          const piece = toPiece({ body, author, counts: { likes: 0, comments: 0 } })
          return { piece, names: namesBefore }
        },
        onCache() {
          if (own.size >= OWN_MAX) own.clear()
          own.add(id)
        },
      })
    },

    /** The piece of each of `ids`, null where there is no post. After a barrier of the same read. */
    async of(viewer: UserId, ids: readonly PostId[]): Promise<readonly (PostPiece | null)[]> {
      const found: (PostPiece | null)[] = new Array(ids.length)
      const missing: number[] = []
      const cached = cache.current()
      const now = clock.now()
      for (let at = 0; at < ids.length; at += 1) {
        const id = ids[at] as PostId
        const entry = cached?.get(id)
        if (entry && isCurrent(id, entry, viewer, now)) found[at] = entry.piece
        else missing.push(at)
      }
      hits.count += ids.length - missing.length
      if (missing.length === 0) return found
      misses.count += missing.length
      const start: ReadStart = { names, counts, at: now }
      const read = await cache.getMany(
        missing.map((at) => ids[at] as PostId),
        {
          load: (unknown) => readPosts(unknown, start),
          stamp: start,
          joins: (other, id) => isReadCurrent(other, id, viewer, now),
          isCurrent: (entry, id) => isCurrent(id, entry, viewer, now),
          onCache: (id) => carryCountChanges(id, start),
        },
      )
      for (const at of missing) found[at] = read.get(ids[at] as PostId)?.piece ?? null
      return found
    },
  }
}

/** The post of a piece again, where it must be looked into; who likes it is not in a piece. */
export function postOf({ source, from, to }: PostPiece): Omit<Post, 'viewer'> {
  return JSON.parse(source.toString('utf8', from, to - 1))
}

/** The text of the post of a piece, without reading the rest of it: a quote within a value is never a bare one. */
export function textOf(piece: PostPiece): string {
  const bytes = bytesOf(piece)
  const from = bytes.indexOf(TEXT) + TEXT.length
  return JSON.parse(bytes.toString('utf8', from, bytes.indexOf(ENTITIES, from)))
}

export function toPiece(post: PublishedPost): PostPiece {
  const source = Buffer.from(`${JSON.stringify(presentPost({ ...post, liked: false }))},`)
  return { authorId: post.body.authorId, source, from: 0, to: source.length }
}

function bytesOf({ source, from, to }: PostPiece): Buffer {
  return source.subarray(from, to)
}
