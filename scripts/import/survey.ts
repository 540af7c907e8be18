import { createHash } from 'node:crypto'
import { type FollowId, firstIdAt, type PostId, type UserId } from '@sns/shared/domain/id'
import { type BrokenLines, readEdges, readPosts } from './input-files'

export interface ImportFiles {
  readonly graph: string
  readonly posts: readonly string[]
  /** Only users numbered below it; Infinity for all. */
  readonly limitUsers: number
}

/** What the files hold, read once before anything is written. */
export interface Survey {
  /** SHA-256 over the files' contents and the limit: the same input has the same one. */
  readonly source: string
  /** The user numbers that occur, ascending. */
  readonly users: readonly number[]
  readonly follows: number
  readonly posts: number
}

export async function surveyFiles(files: ImportFiles, broken: BrokenLines): Promise<Survey> {
  const hash = createHash('sha256').update(`${files.limitUsers}\n`)
  const numbers = new Set<number>()
  let follows = 0
  for await (const { follower, followee } of readEdges(files.graph, files.limitUsers, broken)) {
    numbers.add(follower).add(followee)
    follows++
  }
  let posts = 0
  for (const path of files.posts) for await (const _ of readPosts(path, broken)) posts++
  for (const path of [files.graph, ...files.posts]) hash.update(`${await fileHash(path)}\n`)
  return {
    source: hash.digest('hex'),
    users: [...numbers].sort((a, b) => a - b),
    follows,
    posts,
  }
}

async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of Bun.file(path).stream()) hash.update(chunk)
  return hash.digest('hex')
}

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
