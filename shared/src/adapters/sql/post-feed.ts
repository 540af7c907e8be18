import type { PostId, UserId } from '../../domain/id'
import type { IdPage } from '../../ports/post-store'
import type { Queryable } from './database'
import { isInFeedOf } from './feed-truth'
import { byIndex, IN_ORDER } from './index-hints'
import { newestOfAll, newestOfEach } from './newest-by-author'

/**
 * The ids of `truth(viewer)` below `before`, newest first.
 *
 * First the newest id of each author, of which the newest `limit` are kept: no other author can have a post in the
 * page, and none in the page is older than the last of them. Then these authors' posts down to that one. So the
 * work is a few look-ups for each author and a page of each that counts, whatever the length of their histories and
 * however deep the page is.
 */
export async function readFeedIds(
  db: Queryable,
  viewer: UserId,
  { before, limit }: IdPage,
): Promise<readonly PostId[]> {
  const authors = await readFeedAuthors(db, viewer)
  const ids: PostId[] = []
  let upTo = before === null ? Number.MAX_SAFE_INTEGER : before - 1
  for (;;) {
    const wanted = limit - ids.length
    const newest = await newestOfEach(db, authors, upTo, wanted)
    const floor = newest.length < wanted ? 0 : (newest.at(-1)?.id ?? 0)
    const counting = newest.map(({ author }) => author)
    ids.push(...(await newestOfAll(db, counting, { floor, upTo }, wanted)))
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
