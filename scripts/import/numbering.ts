import {
  exactId,
  type FollowId,
  firstIdAt,
  type Id,
  type PostId,
  type UserId,
} from '@sns/shared/domain/id'
import { OperatorError } from '@sns/shared/errors/operator-error'

const DAY_MS = 24 * 3600 * 1000
/** Imported posts are spread over this many days before the import began. */
const POST_SPREAD_DAYS = 30
/** Ids made by hand start at this counter in each millisecond; the api's own start below 1,024. */
const FIRST_COUNTER = 3072
const EPOCH_MS = Date.UTC(2024, 0, 1)
const SECONDS = 86_000
const COUNTERS = 1024
const PER_MS = 1000

/**
 * The ids of an import, made from when it began and the number of the input alone, so that a resumed
 * import makes the same ones: users oldest, then follows, then posts up to the start of the import.
 */
export function createNumbering(startedAt: number, posts: number, source: string) {
  const sameTime = new Map<number, number>()
  // A second of 2024's first day for each input, so that two of them hardly meet.
  const second = Number.parseInt(source.slice(0, 8), 16) % SECONDS
  let early = second * 1_000 * firstIdAt(EPOCH_MS + 1)
  const users = startedAt - (POST_SPREAD_DAYS + 2) * DAY_MS
  const follows = startedAt - (POST_SPREAD_DAYS + 1) * DAY_MS
  const firstPost = startedAt - POST_SPREAD_DAYS * DAY_MS
  const postStep = (POST_SPREAD_DAYS * DAY_MS) / Math.max(1, posts)
  return {
    user: (n: number): UserId => numbered(users, n),
    follow: (n: number): FollowId => numbered(follows, n),
    post: (n: number) => {
      const ms = Math.floor(firstPost + n * postStep)
      // Several posts may share a millisecond where there are very many.
      const before = n === 0 ? 0 : n - Math.ceil((ms - firstPost) / postStep)
      return exactId<'post'>(firstIdAt(ms) + FIRST_COUNTER + Math.max(0, before))
    },
    /**
     * The id of the next post of that time: call it once for each post, in their order. Posts from before ids begin
     * (2 January 2024) stand below all others, in the order in which they come. Throws an `OperatorError` where more than
     * 1,024 posts are of one millisecond.
     */
    postOf(ms: number): PostId {
      if (ms < EPOCH_MS + DAY_MS) {
        early += 1
        return exactId(early)
      }
      const before = sameTime.get(ms) ?? 0
      sameTime.set(ms, before + 1)
      if (before >= COUNTERS) {
        throw new OperatorError(
          `more than ${COUNTERS} posts are of ${new Date(ms).toISOString()}: give them times that differ`,
        )
      }
      return exactId(firstIdAt(ms) + FIRST_COUNTER + before)
    },
  }
}

function numbered<Kind extends string>(startMs: number, n: number): Id<Kind> {
  return exactId(firstIdAt(startMs + Math.floor(n / PER_MS)) + FIRST_COUNTER + (n % PER_MS))
}

/** Which of `users` writes post `n`: spread evenly, in no visible order, the same each time. */
export function authorOf(n: number, users: number): number {
  let hash = n + 0x9e3779b9
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) % users
}
