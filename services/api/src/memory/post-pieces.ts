import type { Clock } from '@sns/shared/domain/clock'
import type { PostId, UserId } from '@sns/shared/domain/id'
import type { PostBody, PublishedPost } from '@sns/shared/domain/post'
import type { Metrics } from '@sns/shared/observability/metrics'
import type { Change, Freshness } from '@sns/shared/ports/freshness'
import type { PostStore } from '@sns/shared/ports/post-store'
import { type Post, presentPost } from '../modules/posts/schema'
import { createKnown } from './known'
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

/** Of each post asked for: its piece, null if it is not there, undefined if that is not known. */
type Found = (PostPiece | null | undefined)[]

/** What was heard of the likes and comments of a post since they were read. */
interface CountsChange {
  /** Unix milliseconds from when on the counts may not be shown any more. */
  readonly until: number
  /** Who changed them, with the number of the change: they see theirs at once. */
  readonly by: Map<UserId, number>
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
  const known = createKnown({ freshness }, createPieceCache({ maxBytes }))
  const hits = metrics.pieceLookups.tally({ result: 'hit' })
  const misses = metrics.pieceLookups.tally({ result: 'miss' })
  /** Posts that were liked or commented on since they were read. */
  const counted = new Map<PostId, CountsChange>()
  /** Reads under way, by the posts that they read. */
  const loading = new Map<PostId, Promise<unknown>>()
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
    if (counted.size >= COUNTED_MAX) {
      for (const each of counted.keys()) known.forget(each)
      counted.clear()
    }
    let change = counted.get(post)
    if (!known.peek(post) || (change?.by.size ?? 0) >= COUNTED_BY_MAX) {
      counted.delete(post)
      return known.forget(post)
    }
    if (!change) {
      change = { until: clock.now() + COUNTS_TRAIL_MS, by: new Map() }
      counted.set(post, change)
    }
    change.by.set(by, counts)
  }

  /** Keeps what was heard while a post was read: one that many like at once is kept all the same. */
  function keepCounted(post: PostId, from: number, startedAt: number): void {
    const heard = [...(counted.get(post)?.by ?? [])].filter(([, number]) => number > from)
    counted.delete(post)
    if (heard.length === 0) return
    counted.set(post, { until: startedAt + COUNTS_TRAIL_MS, by: new Map(heard) })
  }

  function isCurrent(post: PostId, entry: PieceEntry, viewer: UserId, now: number): boolean {
    const { piece, names: readAt } = entry
    if (readAt < namesFrom) return false
    if (readAt < names && piece && (renamedAt.get(piece.authorId) ?? 0) > readAt) return false
    const change = counted.size === 0 ? undefined : counted.get(post)
    return change === undefined || (now < change.until && !change.by.has(viewer))
  }

  /** Puts the known pieces of `ids` into `found`, where it has none yet; returns the ids to read. */
  function takeKnown(viewer: UserId, ids: readonly PostId[], found: Found): readonly PostId[] {
    if (!known.isBelieved()) return ids
    const now = clock.now()
    const missing: PostId[] = []
    for (let at = 0; at < ids.length; at += 1) {
      if (found[at] !== undefined) continue
      const id = ids[at] as PostId
      const entry = known.peek(id)
      if (entry && isCurrent(id, entry, viewer, now)) found[at] = entry.piece
      else missing.push(id)
    }
    return missing
  }

  /** Reads the posts, and returns the pieces of those that are there. */
  async function load(ids: readonly PostId[]): Promise<ReadonlyMap<PostId, PostPiece>> {
    const [namesBefore, countsBefore, startedAt] = [names, counts, clock.now()]
    const read = new Map<PostId, PostPiece>()
    await known.load(
      () => posts.published(ids),
      (published, keep) => {
        for (const post of published) read.set(post.body.id, toPiece(post))
        for (const id of ids) {
          keepCounted(id, countsBefore, startedAt)
          keep(id, { piece: read.get(id) ?? null, names: namesBefore })
        }
      },
    )
    return read
  }

  const kept: KeptKind = {
    name: 'post',
    keys: known.keys,
    /** Without those whose likes or comments were heard of: they are read anew within a second. */
    entries: (ids) =>
      new Map(
        [...known.entries(ids)].filter(
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
        keep(body.id, { piece, names: namesBefore })
      })
    },

    /**
     * The piece of each of `ids`, null where there is no post. After a barrier of the same read. What is not
     * known is read from SQL, once for all who ask for it at the same time: they take it from what is kept,
     * and read it again where it was not kept.
     */
    async of(viewer: UserId, ids: readonly PostId[]): Promise<readonly (PostPiece | null)[]> {
      const found: Found = new Array(ids.length)
      let missing = takeKnown(viewer, ids, found)
      hits.count += ids.length - missing.length
      if (missing.length === 0) return found as (PostPiece | null)[]
      misses.count += missing.length
      const others = new Set(missing.flatMap((id) => loading.get(id) ?? []))
      if (others.size > 0) {
        await Promise.allSettled(others)
        missing = takeKnown(viewer, ids, found)
      }
      if (missing.length === 0) return found as (PostPiece | null)[]
      const reading = load(missing)
      for (const id of missing) loading.set(id, reading)
      try {
        const read = await reading
        return ids.map((id, at) => found[at] ?? read.get(id) ?? null)
      } finally {
        for (const id of missing) if (loading.get(id) === reading) loading.delete(id)
      }
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
