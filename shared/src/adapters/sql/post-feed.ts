import type { PostId, UserId } from '../../domain/id'
import type { IdPage } from '../../ports/post-store'
import { type Queryable, traitsOf } from './database'
import { isInFeedOf } from './feed-truth'
import { byIndex, IN_ORDER } from './index-hints'

/** The newest post of an author below some place. */
interface Newest {
  readonly author: UserId
  readonly id: PostId
}

/**
 * The ids of `truth(viewer)` below `before`, newest first.
 *
 * First the newest id of each author, of which the newest `limit` are kept: no other author can have a post in the
 * page, and none in the page is older than the last of them. Then these authors' posts down to that one. So the
 * work is one look-up for each author and a page of each that counts, whatever the length of their histories.
 */
export async function readFeedIds(
  db: Queryable,
  viewer: UserId,
  { before, limit }: IdPage,
): Promise<readonly PostId[]> {
  const ids: PostId[] = []
  let upTo = before === null ? Number.MAX_SAFE_INTEGER : before - 1
  for (;;) {
    const wanted = limit - ids.length
    const newest = await newestOfEach(db, viewer, upTo, wanted)
    const floor = newest.length < wanted ? 0 : (newest.at(-1)?.id ?? 0)
    const authors = newest.map(({ author }) => author)
    if (authors.length > 0) ids.push(...(await newestOfAll(db, authors, { floor, upTo }, wanted)))
    if (floor === 0 || ids.length >= limit) return ids
    // Posts were deleted between the two reads.
    upTo = floor - 1
  }
}

/** Those whose posts `truth(viewer)` is made of, by the predicate that defines it. */
export async function readFeedAuthors(db: Queryable, viewer: UserId): Promise<readonly UserId[]> {
  const rows = await selectFeedAuthors(db, viewer).execute()
  return rows.map(({ id }) => id)
}

function selectFeedAuthors(db: Queryable, viewer: UserId) {
  const candidates = db
    .selectFrom(byIndex('follows', 'PRIMARY'))
    .select('follows.followee_id as id')
    .where('follows.follower_id', '=', viewer)
    .unionAll(db.selectFrom('users').select('users.id').where('users.id', '=', viewer))
    .as('candidates')
  return db
    .selectFrom(candidates)
    .modifyFront(IN_ORDER)
    .select('candidates.id')
    .where((eb) => isInFeedOf(viewer, eb.ref('candidates.id')))
}

/** Of the viewer's authors the `limit` with the newest posts, each with the newest one. */
async function newestOfEach(
  db: Queryable,
  viewer: UserId,
  upTo: number,
  limit: number,
): Promise<readonly Newest[]> {
  const each = db
    .selectFrom(selectFeedAuthors(db, viewer).as('authors'))
    .select('authors.id as author')
    .select((eb) =>
      eb
        .selectFrom(byIndex('posts', 'posts_author_id'))
        .select('posts.id')
        .whereRef('posts.author_id', '=', 'authors.id')
        .where('posts.id', '<=', upTo as PostId)
        // MySQL reads an index backwards only when told the whole key's order.
        .orderBy('posts.author_id', 'desc')
        .orderBy('posts.id', 'desc')
        .limit(1)
        .as('id'),
    )
  const rows = await db
    .selectFrom(each.as('each'))
    .selectAll()
    .where('id', 'is not', null)
    .orderBy('id', 'desc')
    .limit(limit)
    .$narrowType<{ id: PostId }>()
    .execute()
  return rows
}

/** The newest `limit` posts of these authors between `floor` and `upTo`, both included. */
async function newestOfAll(
  db: Queryable,
  authors: readonly UserId[],
  { floor, upTo }: { readonly floor: number; readonly upTo: number },
  limit: number,
): Promise<readonly PostId[]> {
  const users = db
    .selectFrom(byIndex('users', 'PRIMARY', 'authors'))
    .modifyFront(IN_ORDER)
    .where('authors.id', 'in', authors)
  // SQLite leaves an author's index as soon as a page of newer posts is known; MySQL reads it to its
  // end unless a lateral table stops it.
  const newest =
    traitsOf(db).kind === 'mysql'
      ? users.crossJoinLateral((eb) =>
          eb
            .selectFrom(byIndex('posts', 'posts_author_id'))
            .select('posts.id')
            .whereRef('posts.author_id', '=', 'authors.id')
            .where('posts.id', '>=', floor as PostId)
            .where('posts.id', '<=', upTo as PostId)
            .orderBy('posts.author_id', 'desc')
            .orderBy('posts.id', 'desc')
            .limit(limit)
            .as('newest'),
        )
      : users
          .crossJoin('posts as newest')
          .whereRef('newest.author_id', '=', 'authors.id')
          .where('newest.id', '>=', floor as PostId)
          .where('newest.id', '<=', upTo as PostId)
  const rows = await newest
    .select(['newest.id', 'authors.created_at'])
    .orderBy('newest.id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}
