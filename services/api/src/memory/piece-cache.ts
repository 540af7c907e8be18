import type { PostId, UserId } from '@sns/shared/domain/id'
import type { EntryStore } from './coherent-cache'

/** A post as the bytes of its JSON. */
export interface PostPiece {
  readonly authorId: UserId
  /** The bytes are those from `from` to `to`; nobody writes there any more. */
  readonly source: Buffer
  readonly from: number
  readonly to: number
}

export interface PieceEntry {
  /** Null: the post is not there. */
  readonly piece: PostPiece | null
  /** How many names had changed when it was read. */
  readonly names: number
}

export interface PieceCacheOptions {
  /** Of everything, in bytes: at least some hundreds of entries. */
  readonly maxBytes: number
}

/** A stretch of memory that is filled once, and let go as a whole. */
interface Segment {
  readonly number: number
  readonly bytes: Buffer
  end: number
  /** The posts whose pieces were written here, in this order; some are elsewhere by now. */
  readonly posts: PostId[]
}

const SEGMENT_BYTES = 256 * 1024
const SEGMENTS_MIN = 8
/** What an entry takes beside its piece: its row, its place in the map and in its segment. */
const ENTRY_BYTES = 128
/** How much of a segment that is let go is written again, where it was used. */
const RESCUED = 0.5

/** The numbers of a row. */
const [AUTHOR, NAMES, SEGMENT, FROM, TO, USED] = [0, 1, 2, 3, 4, 5]
/** A row is a cache line of the processor. */
const ROW = 8
const ROWS_MIN = 1_024
/** In place of the segment of a post that is not there. */
const NOT_THERE = -1

/**
 * Pieces by post, in bounded memory: hundreds of thousands of them, without an object for any. Their bytes lie in
 * segments, one after the other as they were written; what is known beside them is a row of numbers. Finding one
 * touches little memory, and the collector has nothing to walk.
 *
 * The oldest segment is let go when there is too much, and what was used since it was written is written again (a
 * queue with a second chance; see Corbató, "A Paging Experiment with the Multics System", 1968, by segments as in
 * Yang et al., "Segcache", 2021). A piece that somebody holds stays as it is: no segment is written to twice.
 */
export function createPieceCache({ maxBytes }: PieceCacheOptions): EntryStore<PostId, PieceEntry> {
  const segmentBytes = Math.min(SEGMENT_BYTES, Math.floor(maxBytes / SEGMENTS_MIN))
  const rowOf = new Map<PostId, number>()
  let rows = new Float64Array(ROWS_MIN * ROW)
  let rowsUsed = 0
  let freeRows: number[] = []
  /** Oldest first. */
  let segments: Segment[] = []
  let nextNumber = 0

  function openSegment(): Segment {
    // Not filled with zeros: the operating system gives memory only where it is written to.
    const bytes = Buffer.allocUnsafeSlow(segmentBytes)
    const segment: Segment = { number: nextNumber, bytes, end: 0, posts: [] }
    nextNumber += 1
    segments.push(segment)
    return segment
  }

  function segmentFor(size: number): Segment {
    const last = segments.at(-1)
    if (!last) return openSegment()
    const fits = last.end + size <= segmentBytes && last.posts.length * ENTRY_BYTES < segmentBytes
    return fits ? last : openSegment()
  }

  function takeRow(post: PostId): number {
    const row = rowOf.get(post) ?? freeRows.pop() ?? rowsUsed++
    rowOf.set(post, row)
    if ((row + 1) * ROW > rows.length) {
      const more = new Float64Array(rows.length * 2)
      more.set(rows)
      rows = more
    }
    return row * ROW
  }

  function write(post: PostId, { piece, names }: PieceEntry): void {
    const size = piece ? piece.to - piece.from : 0
    const segment = segmentFor(size)
    const at = takeRow(post)
    rows[at + AUTHOR] = piece?.authorId ?? 0
    rows[at + NAMES] = names
    rows[at + SEGMENT] = segment.number
    rows[at + FROM] = segment.end
    rows[at + TO] = piece ? segment.end + size : NOT_THERE
    rows[at + USED] = 0
    piece?.source.copy(segment.bytes, segment.end, piece.from, piece.to)
    segment.end += size
    segment.posts.push(post)
  }

  function read(at: number): PieceEntry {
    const names = rows[at + NAMES] as number
    const to = rows[at + TO] as number
    if (to === NOT_THERE) return { piece: null, names }
    const segment = segments[(rows[at + SEGMENT] as number) - (segments[0]?.number ?? 0)]
    const { bytes: source } = segment as Segment
    const piece = {
      authorId: rows[at + AUTHOR] as UserId,
      source,
      from: rows[at + FROM] as number,
      to,
    }
    return { piece, names }
  }

  function remove(post: PostId): void {
    const row = rowOf.get(post)
    if (row === undefined) return
    rowOf.delete(post)
    freeRows.push(row)
  }

  /** Lets the oldest segment go, but for what was used since it was written, as far as there is room for it. */
  function letOldestGo(): void {
    const oldest = segments[0] as Segment
    const rescued: [PostId, PieceEntry][] = []
    let room = segmentBytes * RESCUED
    for (const post of oldest.posts) {
      const at = (rowOf.get(post) ?? Number.NaN) * ROW
      if (rows[at + SEGMENT] !== oldest.number) continue
      const entry = read(at)
      if (rows[at + USED] === 1) room -= entryBytes(entry)
      if (rows[at + USED] === 1 && room > 0) rescued.push([post, entry])
      else remove(post)
    }
    segments = segments.slice(1)
    for (const [post, entry] of rescued) write(post, entry)
  }

  const bytes = () => segments.length * segmentBytes + rowOf.size * ENTRY_BYTES

  return {
    get(post) {
      const row = rowOf.get(post)
      if (row === undefined) return undefined
      rows[row * ROW + USED] = 1
      return read(row * ROW)
    },

    peek(post) {
      const row = rowOf.get(post)
      return row === undefined ? undefined : read(row * ROW)
    },

    set(post, entry) {
      if (entryBytes(entry) > segmentBytes) return remove(post)
      write(post, entry)
      while (bytes() > maxBytes && segments.length > 1) letOldestGo()
    },

    delete: remove,

    clear() {
      rowOf.clear()
      rows = new Float64Array(ROWS_MIN * ROW)
      rowsUsed = 0
      freeRows = []
      segments = []
    },

    keys: () => rowOf.keys(),

    get size() {
      return rowOf.size
    },
  }
}

/** Whether both are of one writing: another one of the same post lies elsewhere. */
export function isSameEntry(a: PieceEntry | undefined, b: PieceEntry): boolean {
  return (
    a?.names === b.names && a.piece?.source === b.piece?.source && a.piece?.from === b.piece?.from
  )
}

function entryBytes({ piece }: PieceEntry): number {
  return ENTRY_BYTES + (piece ? piece.to - piece.from : 0)
}
