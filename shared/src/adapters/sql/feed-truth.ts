import { type Expression, expressionBuilder, type SqlBool } from 'kysely'
import type { UserId } from '../../domain/id'
import type { Database } from './schema'
import { notBlockedEitherWay, notMuted } from './visibility'

const eb = expressionBuilder<Database>()

/**
 * Whether posts by `author` belong in `viewer`'s feed: the one definition of `truth(viewer)`. What
 * lists a feed and what checks it both ask this, so that they cannot drift apart. `author` is a column
 * of the query around.
 *
 * The `or` keeps MySQL from turning the look-up of one follow into a join with all of them: each post
 * costs a few primary-key look-ups, however many people the viewer follows.
 */
export function isInFeedOf(viewer: UserId, author: Expression<UserId>): Expression<SqlBool> {
  const follow = eb
    .selectFrom('follows as followed')
    .select('followed.follower_id')
    .where('followed.follower_id', '=', viewer)
    .where('followed.followee_id', '=', author)
  return eb.and([
    eb.or([eb(author, '=', viewer), eb.exists(follow)]),
    notBlockedEitherWay(viewer, author),
    notMuted(viewer, author),
  ])
}
