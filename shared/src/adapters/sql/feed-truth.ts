import { type Expression, type ExpressionWrapper, expressionBuilder, type SqlBool } from 'kysely'
import type { UserId } from '../../domain/id'
import { byIndex } from './index-hints'
import type { Database } from './schema'

const eb = expressionBuilder<Database>()

/**
 * Whether posts by `author` belong in `viewer`'s feed: the one definition of `truth(viewer)`. Lists of a
 * feed and of its authors both ask this, so that they cannot drift apart. `author` is a column of the
 * query around.
 *
 * The `or` keeps MySQL from turning the look-up of one follow into a join with all of them: each post
 * costs a few primary-key look-ups, however many people the viewer follows.
 */
export function isInFeedOf(viewer: UserId, author: Expression<UserId>): Expression<SqlBool> {
  const follow = eb
    .selectFrom(byIndex('follows', 'PRIMARY', 'followed'))
    .select('followed.follower_id')
    .where('followed.follower_id', '=', viewer)
    .where('followed.followee_id', '=', author)
  return eb.and([
    eb.or([eb(author, '=', viewer), eb.exists(follow)]),
    notBlockedEitherWay(viewer, author),
    notMuted(viewer, author),
  ])
}

type Predicate = ExpressionWrapper<Database, keyof Database, SqlBool>

/**
 * No block stands between `viewer` and `user`, in either direction: the one place that says what a
 * block hides. `user` is a column of the query around: `where((eb) => notBlockedEitherWay(viewer,
 * eb.ref('posts.author_id')))`.
 */
export function notBlockedEitherWay(viewer: UserId, user: Expression<UserId>): Predicate {
  const outgoing = eb
    .selectFrom(byIndex('blocks', 'PRIMARY', 'outgoing'))
    .select('outgoing.blocker_id')
    .where('outgoing.blocker_id', '=', viewer)
    .where('outgoing.blocked_id', '=', user)
  const incoming = eb
    .selectFrom(byIndex('blocks', 'blocks_blocked', 'incoming'))
    .select('incoming.blocker_id')
    .where('incoming.blocked_id', '=', viewer)
    .where('incoming.blocker_id', '=', user)
  return eb.not(eb.or([eb.exists(outgoing), eb.exists(incoming)]))
}

/** `viewer` has not muted `user`. */
export function notMuted(viewer: UserId, user: Expression<UserId>): Predicate {
  return eb.not(
    eb.exists(
      eb
        .selectFrom(byIndex('mutes', 'PRIMARY', 'muted'))
        .select('muted.muter_id')
        .where('muted.muter_id', '=', viewer)
        .where('muted.muted_id', '=', user),
    ),
  )
}
