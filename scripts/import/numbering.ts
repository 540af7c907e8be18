import { type FollowId, firstIdAt, type PostId, type UserId } from '@sns/shared/domain/id'

const DAY_MS = 24 * 3600 * 1000
/** Imported posts are spread over this many days before the import began. */
const POST_SPREAD_DAYS = 30
/** Ids made by hand start at this counter in each millisecond; the api's own start below 1,024. */
const FIRST_COUNTER = 3072
const PER_MS = 1000

/**
 * The ids of an import, made from when it began and the number of the input alone, so that a resumed
 * import makes the same ones: users oldest, then follows, then posts up to the start of the import.
 */
export function createNumbering(startedAt: number, posts: number) {
  const users = startedAt - (POST_SPREAD_DAYS + 2) * DAY_MS
  const follows = startedAt - (POST_SPREAD_DAYS + 1) * DAY_MS
  const firstPost = startedAt - POST_SPREAD_DAYS * DAY_MS
  const postStep = (POST_SPREAD_DAYS * DAY_MS) / Math.max(1, posts)
  return {
    user: (n: number) => numbered(users, n) as UserId,
    follow: (n: number) => numbered(follows, n) as FollowId,
    post: (n: number) => {
      const ms = Math.floor(firstPost + n * postStep)
      // Several posts may share a millisecond where there are very many.
      const before = n === 0 ? 0 : n - Math.ceil((ms - firstPost) / postStep)
      return (firstIdAt(ms) + FIRST_COUNTER + Math.max(0, before)) as PostId
    },
  }
}

function numbered(startMs: number, n: number): number {
  return firstIdAt(startMs + Math.floor(n / PER_MS)) + FIRST_COUNTER + (n % PER_MS)
}

/** Which of `users` writes post `n`: spread evenly, in no visible order, the same each time. */
export function authorOf(n: number, users: number): number {
  let hash = n + 0x9e3779b9
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) % users
}
