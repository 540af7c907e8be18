import type { PostId, UserId } from '../../domain/id'
import type { IdPage } from '../../ports/post-store'
import { type Queryable, traitsOf } from './database'
import { isInFeedOf } from './feed-truth'

/** When to scan all recent posts for a feed; other values only in tests. */
export interface FeedScanLimits {
  /** Below this many followees, each one's newest posts are read in a millisecond or two. */
  readonly fewFollowees: number
  /**
   * How many posts may be scanned for each followee before asking each is cheaper. Measured: one look
   * at a followee costs about as much as ten rows, and a scan reads each post twice.
   */
  readonly postsPerFollowee: number
}

export const FEED_SCAN_LIMITS: FeedScanLimits = { fewFollowees: 64, postsPerFollowee: 4 }

/**
 * The ids of `truth(viewer)` below `before`, newest first.
 *
 * Whoever follows many finds a page among everybody's newest posts: these are scanned first, for at
 * most the time that asking every followee would take, and on only while the yield so far says that
 * the page will fill. The rest comes from each followee's own newest posts, at most a page of each, so
 * the work is bounded by followees times page, whatever the length of their histories.
 */
export async function readFeedIds(
  db: Queryable,
  viewer: UserId,
  { before, limit }: IdPage,
  { fewFollowees, postsPerFollowee }: FeedScanLimits = FEED_SCAN_LIMITS,
): Promise<readonly PostId[]> {
  const ids: PostId[] = []
  let upTo = before === null ? Number.MAX_SAFE_INTEGER : before - 1
  const followees = await countFollowees(db, viewer)
  if (followees >= fewFollowees) {
    let rows = 2 * limit
    let scanned = 0
    while (scanned + rows <= followees * postsPerFollowee) {
      const floor = await nthNewest(db, upTo, rows)
      ids.push(...(await scan(db, viewer, floor ?? 0, upTo, limit - ids.length)))
      if (ids.length >= limit || floor === null) return ids
      upTo = floor - 1
      scanned += rows
      rows = Math.ceil(((limit - ids.length) * scanned) / Math.max(ids.length, 1))
    }
  }
  ids.push(...(await newestOfEach(db, viewer, upTo, limit - ids.length)))
  return ids
}

async function countFollowees(db: Queryable, viewer: UserId): Promise<number> {
  const { followees } = await db
    .selectFrom('follows')
    .select((eb) => eb.fn.countAll<number>().as('followees'))
    .where('follower_id', '=', viewer)
    .executeTakeFirstOrThrow()
  return Number(followees)
}

async function nthNewest(db: Queryable, upTo: number, n: number): Promise<PostId | null> {
  const row = await db
    .selectFrom('posts')
    .select('id')
    .where('id', '<=', upTo as PostId)
    .orderBy('id', 'desc')
    .limit(1)
    .offset(n - 1)
    .executeTakeFirst()
  return row?.id ?? null
}

async function scan(
  db: Queryable,
  viewer: UserId,
  floor: number,
  upTo: number,
  limit: number,
): Promise<readonly PostId[]> {
  const rows = await db
    .selectFrom('posts')
    .select('posts.id')
    .where('posts.id', '>=', floor as PostId)
    .where('posts.id', '<=', upTo as PostId)
    .where((eb) => isInFeedOf(viewer, eb.ref('posts.author_id')))
    .orderBy('posts.id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** Those whose posts `truth(viewer)` is made of, by the predicate that defines it. */
export async function readFeedAuthors(db: Queryable, viewer: UserId): Promise<readonly UserId[]> {
  const rows = await selectFeedAuthors(db, viewer).execute()
  return rows.map(({ id }) => id)
}

function selectFeedAuthors(db: Queryable, viewer: UserId) {
  const candidates = db
    .selectFrom('follows')
    .select('follows.followee_id as id')
    .where('follows.follower_id', '=', viewer)
    .unionAll(db.selectFrom('users').select('users.id').where('users.id', '=', viewer))
    .as('candidates')
  return db
    .selectFrom(candidates)
    .select('candidates.id')
    .where((eb) => isInFeedOf(viewer, eb.ref('candidates.id')))
}

async function newestOfEach(
  db: Queryable,
  viewer: UserId,
  upTo: number,
  limit: number,
): Promise<readonly PostId[]> {
  const authors = selectFeedAuthors(db, viewer).as('authors')
  // SQLite leaves an author's index as soon as a page of newer posts is known; MySQL reads it to its
  // end unless a lateral table stops it, and reads it backwards only when told the whole key's order.
  const newest =
    traitsOf(db).kind === 'mysql'
      ? db
          .selectFrom(authors)
          .crossJoinLateral((eb) =>
            eb
              .selectFrom('posts')
              .select('posts.id')
              .whereRef('posts.author_id', '=', 'authors.id')
              .where('posts.id', '<=', upTo as PostId)
              .orderBy('posts.author_id', 'desc')
              .orderBy('posts.id', 'desc')
              .limit(limit)
              .as('newest'),
          )
          .select('newest.id')
      : db
          .selectFrom(authors)
          .innerJoin('posts as newest', 'newest.author_id', 'authors.id')
          .where('newest.id', '<=', upTo as PostId)
          .select('newest.id')
  const rows = await newest.orderBy('newest.id', 'desc').limit(limit).execute()
  return rows.map(({ id }) => id)
}
