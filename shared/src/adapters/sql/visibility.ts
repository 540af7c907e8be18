import { type Expression, type ExpressionWrapper, expressionBuilder, type SqlBool } from 'kysely'
import type { UserId } from '../../domain/id'
import type { Database } from './schema'

type Predicate = ExpressionWrapper<Database, keyof Database, SqlBool>

const eb = expressionBuilder<Database>()

/**
 * No block stands between `viewer` and `user`, in either direction: the one place that says what a
 * block hides. `user` is a column of the query around: `where((eb) => notBlockedEitherWay(viewer,
 * eb.ref('posts.author_id')))`.
 */
export function notBlockedEitherWay(viewer: UserId, user: Expression<UserId>): Predicate {
  const outgoing = eb
    .selectFrom('blocks as outgoing')
    .select('outgoing.blocker_id')
    .where('outgoing.blocker_id', '=', viewer)
    .where('outgoing.blocked_id', '=', user)
  const incoming = eb
    .selectFrom('blocks as incoming')
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
        .selectFrom('mutes as muted')
        .select('muted.muter_id')
        .where('muted.muter_id', '=', viewer)
        .where('muted.muted_id', '=', user),
    ),
  )
}
